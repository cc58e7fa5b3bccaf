/**
 * Encoded words as careless readers decode them: anywhere in a field, without an end, with blanks in them, in
 * obsolete charsets.
 *
 * Used to find what a reader may see; text shown to people comes from encoded-words.ts. Linear in the value; never
 * throws.
 */
import { decodeBase64 } from './base64.ts';
import { decodeCharset } from './charset.ts';
import { decodeQ } from './encoded-words.ts';
import { MIME_LIMITS } from './limits.ts';
import { binaryBytes, readable } from './text.ts';

/** Longer than the name of any charset, with a language after it. */
const CHARSET_CHARACTERS = 64;

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'word'; readonly bytes: Uint8Array; readonly charset: string };

export interface Decodings {
  readonly texts: readonly string[];
  /** There are more words than the bound: the last are not decoded. */
  readonly isCut: boolean;
  /** A word is in an unknown charset, such as EBCDIC: what a reader sees is unknown. */
  readonly isUnread: boolean;
}

/** Between two encoded words of any charsets. */
const BETWEEN_WORDS = /\?=\s*=\?[^?\s]{0,64}\?[bq]\?/gi;

/**
 * The texts that readers may decode the value to: words joined and decoded one by one, words apart, words joined
 * before they are decoded, and words joined as bytes of UTF-8, whatever charset they name. Empty without an encoded
 * word.
 */
export function decodeLoosely(value: string): Decodings {
  if (!value.includes('=?')) return { texts: [], isCut: false, isUnread: false };
  const decodings = decodePieces(value);
  const merged = value.replaceAll(BETWEEN_WORDS, '');
  if (merged === value) return decodings;
  return { ...decodings, texts: [...decodings.texts, ...decodePieces(merged).texts] };
}

function decodePieces(value: string): Decodings {
  const pieces = piecesOf(value);
  const joined = pieces.filter((piece, i) => !isBlankBetween(pieces, piece, i));
  const bytes = joined.map((piece) => (piece.kind === 'text' ? binaryBytes(piece.text) : piece.bytes));
  const texts = new Map(pieces.map((piece) => [piece, decoded(piece)]));
  const decodings = [
    joined.map((piece) => texts.get(piece)).join(''),
    pieces.map((piece) => texts.get(piece)).join(''),
    Buffer.concat(bytes).toString('utf8'),
    Buffer.from(decodeQ(value, false)).toString('utf8'),
  ];
  const isUnread = pieces.some((piece) => piece.kind === 'word' && !isKnownCharset(piece));
  return { texts: decodings, isCut: pieces.length > 2 * MIME_LIMITS.looseWords, isUnread };
}

function piecesOf(value: string): readonly Piece[] {
  const pieces: Piece[] = [];
  const lastEnd = value.lastIndexOf('?=');
  let from = 0;
  for (let start = value.indexOf('=?'); start >= 0; start = value.indexOf('=?', Math.max(from, start + 2))) {
    if (pieces.length >= 2 * MIME_LIMITS.looseWords) break;
    const head = /^=\?([^?\s]{0,64})\?([bq])\?/i.exec(value.slice(start, start + CHARSET_CHARACTERS + 6));
    if (!head) continue;
    const textStart = start + head[0].length;
    const isBase64 = head[2]!.toLowerCase() === 'b';
    // Without an end it goes on to the end of the value.
    const isClosed = lastEnd >= textStart;
    const textEnd = isClosed ? value.indexOf('?=', textStart) : isBase64 ? endOfBase64(value, textStart) : value.length;
    const encoded = value.slice(textStart, textEnd);
    pieces.push({ kind: 'text', text: value.slice(from, start) });
    pieces.push({
      kind: 'word',
      bytes: isBase64 ? decodeBase64(binaryBytes(encoded)).bytes : decodeQ(encoded),
      charset: head[1]!.split('*', 1)[0]!,
    });
    from = isClosed ? textEnd + 2 : textEnd;
  }
  pieces.push({ kind: 'text', text: value.slice(from) });
  return pieces;
}

function endOfBase64(value: string, start: number): number {
  const base64 = /[a-z0-9+/=]*/iy;
  base64.lastIndex = start;
  base64.test(value);
  return base64.lastIndex;
}

/** RFC 2047 6.2: white space between two encoded words is not shown. */
function isBlankBetween(pieces: readonly Piece[], piece: Piece, i: number): boolean {
  return piece.kind === 'text' && i > 0 && i < pieces.length - 1 && piece.text.trim() === '';
}

const UTF7 = /^(?:unicode-1-1-)?utf-?7$/i;

/** Readers take an empty name as UTF-8 or ASCII, if anything. */
function isKnownCharset({ charset }: { readonly charset: string }): boolean {
  return charset === '' || UTF7.test(charset) || decodeCharset(NO_OCTETS, charset) !== undefined;
}

const NO_OCTETS = new Uint8Array(0);

function decoded(piece: Piece): string {
  if (piece.kind === 'text') return readable(piece.text);
  const { bytes, charset } = piece;
  if (UTF7.test(charset)) return decodeUtf7(bytes);
  return decodeCharset(bytes, charset) ?? Buffer.from(bytes).toString('utf8');
}

/** UTF-7 is not in the Encoding Standard, and some programs still read it. */
function decodeUtf7(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return text.replaceAll(/\+([a-z0-9+/]*)-?/gi, (_, base64: string) => {
    if (base64 === '') return '+';
    const units = Buffer.from(base64, 'base64');
    return units
      .subarray(0, units.length & ~1)
      .swap16()
      .toString('utf16le');
  });
}
