/**
 * XML of strangers as a tree of plain values: elements only, no attributes, no entities but the five
 * of XML 1.0 4.6 and character references. A document type is refused, so that nothing can be defined
 * that would grow. The caller bounds the octets; depth is bounded here.
 */
import { XMLParser } from 'fast-xml-parser';
import { XML_DEPTH } from './limits.ts';

export type XmlTree = { readonly [name: string]: unknown };

/** Throws an Error with a sentence where it is no XML that may be read. */
export function parseXml(bytes: Uint8Array): XmlTree {
  const text = decodeXml(bytes);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new Error('a document type or an entity definition is not accepted');
  const parser = new XMLParser({
    ignoreAttributes: true,
    removeNSPrefix: true,
    parseTagValue: false,
    processEntities: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    maxNestedTags: XML_DEPTH,
  });
  const tree: unknown = parser.parse(text);
  if (!isTree(tree)) throw new Error('there is no element in it');
  return tree;
}

export function isTree(value: unknown): value is XmlTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The children of that name; none, one or several are the same to a reader. */
export function children(tree: unknown, name: string): readonly unknown[] {
  if (!isTree(tree) || !Object.hasOwn(tree, name)) return [];
  const value = tree[name];
  return Array.isArray(value) ? value : [value];
}

export function child(tree: unknown, name: string): unknown {
  return children(tree, name)[0];
}

/** The text of the first child of that name, trimmed; undefined where there is none or it has elements. */
export function textOf(tree: unknown, name: string, mostCharacters: number): string | undefined {
  const value = child(tree, name);
  if (typeof value !== 'string') return undefined;
  return unescapeText(value.slice(0, mostCharacters)).trim();
}

/** The declaration or the byte order mark says the encoding; what is wrong in it becomes U+FFFD. */
function decodeXml(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 200)).toString('latin1');
  const label = /^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/.exec(start)?.[1];
  return decoder(label).decode(bytes);
}

function decoder(label = 'utf-8'): TextDecoder {
  try {
    // A declaration that can be read as ASCII cannot be true if it says UTF-16.
    return new TextDecoder(/^utf-?16/i.test(label) ? 'utf-8' : label);
  } catch {
    return new TextDecoder('utf-8');
  }
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeText(text: string): string {
  return text.replaceAll(/&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (whole, name, decimal, hex) => {
    if (name !== undefined) return NAMED[(name as string).toLowerCase()]!;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : whole;
  });
}
