/**
 * Untrusted XML as a tree of plain values: elements only, no attributes, no entities but the five of XML 1.0 4.6 and
 * character references. A document type is refused, so that nothing can be defined that would grow. The caller bounds
 * the bytes; depth, elements and text are bounded here. Linear.
 */
import { VALUE_CHARACTERS, XML_DEPTH, XML_ELEMENTS, XML_NAMES } from './limits.ts';

export type XmlTree = { readonly [name: string]: unknown };

/** Throws an Error with a sentence if the XML is malformed or not allowed. */
export function parseXml(bytes: Uint8Array): XmlTree {
  const text = decodeXml(bytes);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new Error('a document type or an entity definition is not accepted');
  const tree = readElements(text);
  if (!isTree(tree)) throw new Error('there is no element in it');
  return tree;
}

interface Open {
  readonly name: string;
  tree: { [name: string]: unknown } | undefined;
  names: number;
  text: string;
}

/** One pass from `<` to `<`. Prefixes of names are dropped; text beside elements is ignored. */
function readElements(text: string): unknown {
  const root: Open = { name: '', tree: undefined, names: 0, text: '' };
  const open: Open[] = [root];
  let elements = 0;
  let at = 0;
  for (let start = text.indexOf('<'); start >= 0; start = text.indexOf('<', at)) {
    const current = open.at(-1)!;
    addText(current, text, at, start);
    const next = text.charCodeAt(start + 1);
    if (next === BANG || next === QUESTION) {
      const [opening, closing] = SKIPPED.find(([opening]) => text.startsWith(opening, start)) ?? ['<!', '>'];
      const end = endOf(text, closing, start + opening.length);
      if (opening === '<![CDATA[') addText(current, text, start + opening.length, end);
      at = end + closing.length;
      continue;
    }
    const end = endOfTag(text, start);
    at = end + 1;
    if (next === SLASH) {
      if (open.length === 1 || nameIn(text, start + 2, end) !== current.name)
        throw new Error('a tag closes what is not open');
      open.pop();
      add(open.at(-1)!, current);
      continue;
    }
    if (++elements > XML_ELEMENTS) throw new Error(`more than ${XML_ELEMENTS} elements`);
    const element: Open = { name: nameIn(text, start + 1, end), tree: undefined, names: 0, text: '' };
    if (text.charCodeAt(end - 1) === SLASH) add(current, element);
    else if (open.push(element) > XML_DEPTH + 1) throw new Error('Maximum nested tags exceeded');
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)!.name.slice(0, 50)}> is not closed`);
  return root.tree;
}

const BANG = 0x21;
const SLASH = 0x2f;
const QUESTION = 0x3f;
const SKIPPED: readonly (readonly [opening: string, closing: string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
];

function addText(element: Open, text: string, start: number, end: number): void {
  const room = VALUE_CHARACTERS * 2 - element.text.length;
  if (end > start && room > 0) element.text += text.slice(start, Math.min(end, start + room));
}

function add(parent: Open, { name, tree, text }: Open): void {
  const value = tree ?? text.trim();
  parent.tree ??= Object.create(null) as { [name: string]: unknown };
  const known = parent.tree[name];
  if (known === undefined) {
    if (++parent.names > XML_NAMES) throw new Error(`more than ${XML_NAMES} kinds of elements in one`);
    parent.tree[name] = value;
  } else if (Array.isArray(known)) known.push(value);
  else parent.tree[name] = [known, value];
}

function endOf(text: string, closing: string, from: number): number {
  const end = text.indexOf(closing, from);
  if (end < 0) throw new Error('it ends within a tag');
  return end;
}

/** A `>` in quotes belongs to an attribute (XML 1.0 2.4). */
function endOfTag(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3e) return at;
    if (code === 0x22 || code === 0x27) at = endOf(text, code === 0x22 ? '"' : "'", at + 1);
  }
  throw new Error('it ends within a tag');
}

function nameIn(text: string, start: number, end: number): string {
  let stop = start;
  let from = start;
  for (; stop < end; stop++) {
    const code = text.charCodeAt(stop);
    if (code <= 0x20 || code === SLASH) break;
    if (code === 0x3a) from = stop + 1;
  }
  if (stop === from || stop - start > 200) throw new Error('a tag has no name');
  return text.slice(from, stop);
}

export function isTree(value: unknown): value is XmlTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The children of that name, as an array whether there are none, one or several. */
export function children(tree: unknown, name: string): readonly unknown[] {
  if (!isTree(tree) || !Object.hasOwn(tree, name)) return [];
  const value = tree[name];
  return Array.isArray(value) ? value : [value];
}

export function child(tree: unknown, name: string): unknown {
  return children(tree, name)[0];
}

/** The text of the first child of that name, trimmed; undefined if there is none or it has elements. */
export function textOf(tree: unknown, name: string, mostCharacters: number): string | undefined {
  const value = child(tree, name);
  if (typeof value !== 'string') return undefined;
  return unescapeText(value.slice(0, mostCharacters)).trim();
}

/** The declaration or the byte order mark names the encoding; invalid bytes become U+FFFD. */
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
    // A declaration that is readable as ASCII cannot be true if it names UTF-16.
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
