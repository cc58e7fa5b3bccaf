/**
 * Characters that do more than show themselves: they end a line, steer a terminal, change the direction of text, or
 * are invisible. One list, for every writer of foreign strings (header fields, reports, replies, log lines, columns)
 * and for every reader of operators' input.
 *
 * Pure and linear; plain ASCII is returned unchanged. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
 */

/** C0, DEL and C1 (ISO 6429). */
const CONTROL = '\\u{0}-\\u{1f}\\u{7f}-\\u{9f}';
/** Marks, embeddings, overrides and isolates of UAX 9; U+206A to U+206F are their deprecated relatives. */
const BIDI = '\\u{61c}\\u{200e}\\u{200f}\\u{202a}-\\u{202e}\\u{2066}-\\u{206f}';
const SEPARATOR = '\\u{2028}\\u{2029}';
const UNSEEN = '\\u{200b}\\u{2060}\\u{feff}\\u{e0000}-\\u{e007f}';
/** Half a surrogate pair is no character. */
const HALF = '\\u{d800}-\\u{dfff}';

const PLAIN = /^[\x20-\x7e]*$/;
const PLAIN_LINES = /^[\x20-\x7e\n]*$/;
const ANY = new RegExp(`[${CONTROL}${BIDI}${SEPARATOR}${UNSEEN}${HALF}]`, 'gu');
const ANY_BUT_LINES = new RegExp(`(?!\\n)[${CONTROL}${BIDI}${SEPARATOR}${UNSEEN}${HALF}]`, 'gu');
const IN_NAME = new RegExp(`[${CONTROL}${BIDI}${SEPARATOR}]`, 'u');
const IN_LINE = new RegExp(
  `[${CONTROL}${SEPARATOR}\\u{202a}-\\u{202e}\\u{2066}-\\u{2069}\\u{e0000}-\\u{e007f}${HALF}]`,
  'u',
);
const IN_LINES = new RegExp(`(?![\\t\\n\\r])${IN_LINE.source}`, 'u');
const ALONE = /\0|\r(?!\n)|(?<!\r)\n/g;
const ENDS_LINE = /[\0\r\n]/g;

/** One line for people: each such character becomes `by`. */
export function cleanLine(text: string, by = '\ufffd'): string {
  return PLAIN.test(text) ? text : text.replaceAll(ANY, by);
}

/** Several lines; only a line feed ends one. */
export function cleanLines(text: string, by: string | ((character: string) => string) = '\ufffd'): string {
  if (PLAIN_LINES.test(text)) return text;
  return typeof by === 'string' ? text.replaceAll(ANY_BUT_LINES, by) : text.replaceAll(ANY_BUT_LINES, by);
}

/** For a header field: one line, and ASCII unless the message is international (RFC 6532). */
export function fieldText(text: string, utf8 = false): string {
  if (PLAIN.test(text)) return text;
  const clean = cleanLine(text, ' ');
  return utf8 ? clean : clean.replaceAll(/[^\x20-\x7e]/gu, '?');
}

/** JSON, or text that contains JSON, with each such character escaped; it parses to the same value (RFC 8259 7). */
export function escapeJson(json: string): string {
  return PLAIN_LINES.test(json) ? json : json.replaceAll(ANY_BUT_LINES, unicodeEscape);
}

function unicodeEscape(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}

/** Controls, line separators and marks of direction: no host name has one. */
export function steers(text: string): boolean {
  return !PLAIN.test(text) && IN_NAME.test(text);
}

/** A character that an operator may not type in one line, as `U+000A`; undefined: there is none. */
export function unsafeInLine(text: string): string | undefined {
  return PLAIN.test(text) ? undefined : named(IN_LINE.exec(text)?.[0]);
}

/** The same where lines and tabs are allowed. */
export function unsafeInLines(text: string): string | undefined {
  return PLAIN_LINES.test(text) ? undefined : named(IN_LINES.exec(text)?.[0]);
}

/**
 * A line of a protocol with its end. A line end within it becomes a space, which no address has, so no other address
 * can result.
 */
export function wireLine(line: string): string {
  return `${line.replaceAll(ENDS_LINE, ' ')}\r\n`;
}

/**
 * A header field, whole, with its line end (RFC 5322 2.2): CRLF only before white space, and no CR, LF or NUL alone,
 * so that it is one field whatever was put into it.
 */
export function wholeField(raw: string): string {
  const body = raw.endsWith('\r\n') ? raw.slice(0, -2) : raw;
  if (PLAIN.test(body)) return `${body}\r\n`;
  return `${body.replaceAll('\0', ' ').replaceAll(/\r?\n(?![ \t])|\r(?!\n)|(?<!\r)\n/g, ' ')}\r\n`;
}

/** Several fields: lines that end with CRLF, and no CR, LF or NUL alone. */
export function wholeLines(raw: string): string {
  return raw.replaceAll(ALONE, ' ');
}

function named(character: string | undefined): string | undefined {
  return character && `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
