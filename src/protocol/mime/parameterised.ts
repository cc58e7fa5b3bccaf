/**
 * Values with parameters: Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2183), with the
 * continuations and charsets of RFC 2231.
 *
 * Tolerant, as other readers are; each liberty taken is reported, since another reader may take another. Linear in
 * the length of the value; never throws.
 */
import { decodeCharset } from './charset.ts';
import { hexValue } from './hex.ts';
import { MIME_LIMITS } from './limits.ts';
import { binaryBytes, readable } from './text.ts';

export interface Parameterised {
  /** In lower case, without comments: `text/plain`, `attachment`. Empty if there is none. */
  readonly value: string;
  /** Names in lower case; values as text. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly isMalformed: boolean;
  /** Names given twice, or in two of RFC 2231's forms, or with gaps in their pieces. */
  readonly ambiguous: ReadonlySet<string>;
  /** Names written in a form of RFC 2231, which many readers do not know. */
  readonly extended: ReadonlySet<string>;
}

interface Piece {
  readonly text: string;
  readonly isEncoded: boolean;
}

/** All values of one parameter; `pieces` by RFC 2231 section number, -1 for a value without one. */
type Pieces = Map<number, Piece>;

/** `source` is an unfolded binary string. */
export function parseParameterised(source: string): Parameterised {
  const reader = { source, position: 0, isMalformed: false };
  const value = readWord(reader, /[;\s(]/).toLowerCase();
  const pieces = new Map<string, Pieces>();
  const ambiguous = new Set<string>();
  const extended = new Set<string>();
  for (let count = 0; skipToParameter(reader); count++) {
    if (count === MIME_LIMITS.parameters) {
      reader.isMalformed = true;
      break;
    }
    readParameter(reader, pieces, ambiguous, extended);
  }
  const parameters = new Map<string, string>();
  for (const [name, parts] of pieces) parameters.set(name, joinPieces(name, parts, ambiguous));
  return { value, parameters, isMalformed: reader.isMalformed || /[^!-~]/.test(value), ambiguous, extended };
}

interface Reader {
  readonly source: string;
  position: number;
  isMalformed: boolean;
}

function skipBlanks(reader: Reader): void {
  const { source } = reader;
  for (;;) {
    const c = source[reader.position];
    if (c === '(') skipComment(reader);
    else if (c === ' ' || c === '\t' || c === '\r' || c === '\n') reader.position++;
    else return;
  }
}

function skipComment(reader: Reader): void {
  let depth = 0;
  for (; reader.position < reader.source.length; reader.position++) {
    const c = reader.source[reader.position];
    if (c === '\\') reader.position++;
    else if (c === '(') depth++;
    else if (c === ')' && --depth === 0) {
      reader.position++;
      return;
    }
  }
  reader.isMalformed = true;
}

/** Reads up to a character of `stop` (or the end), without the blanks and comments around it. */
function readWord(reader: Reader, stop: RegExp): string {
  skipBlanks(reader);
  const start = reader.position;
  while (reader.position < reader.source.length && !stop.test(reader.source[reader.position]!)) reader.position++;
  const word = reader.source.slice(start, reader.position);
  skipBlanks(reader);
  return word;
}

/** Moves behind the next semicolon; text before it is invalid there. */
function skipToParameter(reader: Reader): boolean {
  while (reader.position < reader.source.length) {
    if (reader.source[reader.position] === ';') {
      reader.position++;
      skipBlanks(reader);
      if (reader.position < reader.source.length && reader.source[reader.position] !== ';') return true;
      continue;
    }
    reader.isMalformed = true;
    if (reader.source[reader.position] === '"') readQuoted(reader);
    else reader.position++;
  }
  return false;
}

function readParameter(
  reader: Reader,
  pieces: Map<string, Pieces>,
  ambiguous: Set<string>,
  extended: Set<string>,
): void {
  const attribute = readWord(reader, /[=;\s("]/).toLowerCase();
  if (reader.source[reader.position] !== '=' || !/^[!#-'*+\-.0-9A-Z^-~]+$/i.test(attribute)) {
    reader.isMalformed = true;
    if (reader.source[reader.position] !== '=') return;
  }
  reader.position++;
  skipBlanks(reader);
  const text = reader.source[reader.position] === '"' ? readQuoted(reader) : readToken(reader);
  const form = /^([^*]+)(?:\*(\d{1,4}))?(\*)?$/.exec(attribute);
  const name = form?.[1] ?? attribute;
  const section = form?.[2] === undefined ? -1 : Number(form[2]);
  const isEncoded = form?.[3] !== undefined;
  if (section >= 0 || isEncoded) extended.add(name);
  const known = pieces.get(name) ?? new Map<number, Piece>();
  if (known.has(section)) ambiguous.add(name);
  else known.set(section, { text, isEncoded });
  pieces.set(name, known);
}

/** RFC 2045 5.1 allows token characters; readers differ about others without quotes. */
function readToken(reader: Reader): string {
  const token = readWord(reader, /[;\s(]/);
  if (!/^[!#-'*+\-.0-9A-Z^-~]+$/i.test(token)) reader.isMalformed = true;
  return token;
}

function readQuoted(reader: Reader): string {
  const { source } = reader;
  let text = '';
  for (let i = reader.position + 1; i < source.length; i++) {
    const c = source[i]!;
    if (c === '"') {
      reader.position = i + 1;
      skipBlanks(reader);
      return text;
    }
    text += c === '\\' && i + 1 < source.length ? source[++i] : c;
  }
  reader.position = source.length;
  reader.isMalformed = true;
  return text;
}

/** RFC 2231 3 and 4: numbered pieces win over a plain value, as they are the newer form. */
function joinPieces(name: string, pieces: Pieces, ambiguous: Set<string>): string {
  const first = pieces.get(0);
  if (!first) {
    const only = pieces.get(-1) ?? [...pieces.values()][0]!;
    if (pieces.size > 1 || !pieces.has(-1)) ambiguous.add(name);
    return only.isEncoded ? decodePieces([only]) : readable(only.text);
  }
  const run: Piece[] = [];
  for (let section = 0; pieces.has(section); section++) run.push(pieces.get(section)!);
  if (run.length < pieces.size) ambiguous.add(name);
  return decodePieces(run);
}

/** RFC 2231 4.1: `charset'language'percent-encoded` in the first piece applies to all encoded pieces. */
function decodePieces(pieces: readonly Piece[]): string {
  const [first] = pieces;
  const prefix = first?.isEncoded ? /^([^']*)'[^']*'/.exec(first.text) : null;
  let bytes = '';
  for (const piece of pieces) {
    const text = piece === first && prefix ? piece.text.slice(prefix[0].length) : piece.text;
    bytes += piece.isEncoded ? percentDecode(text) : text;
  }
  return (prefix?.[1] ? decodeCharset(binaryBytes(bytes), prefix[1]) : undefined) ?? readable(bytes);
}

function percentDecode(text: string): string {
  let bytes = '';
  for (let i = 0; i < text.length; i++) {
    const high = text[i] === '%' ? hexValue(text.charCodeAt(i + 1)) : -1;
    const low = high < 0 ? -1 : hexValue(text.charCodeAt(i + 2));
    if (low >= 0) i += 2;
    bytes += low < 0 ? text[i] : String.fromCharCode(high * 16 + low);
  }
  return bytes;
}
