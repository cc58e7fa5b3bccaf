/**
 * Authentication-Results (RFC 8601) and Received-SPF (RFC 7208 9.1): values to header fields, and one thing that must
 * be read from foreign fields: whose results they claim to be.
 *
 * These fields contain values from untrusted hosts (domains, addresses), so everything that is no token is quoted,
 * and control characters are dropped: a field never breaks into two. A character beyond ASCII becomes `?`, unless the
 * message is international (`utf8`, RFC 6532).
 */
import { fieldText } from '../text/unsafe.ts';

export interface MethodResult {
  /** `spf`, `dkim`, `dmarc`, `arc`, `iprev`, `auth`, `bimi`. */
  readonly method: string;
  readonly result: string;
  /** In parentheses, for a person. */
  readonly comment?: string;
  readonly reason?: string;
  /** `smtp.mailfrom`, `header.d`, ... in order. */
  readonly properties?: readonly (readonly [property: string, value: string])[];
}

/** RFC 5322 2.1.1: lines should have at most 78 characters. */
const FOLD_AT = 78;
/** RFC 1035 2.3.4, and the final dot. */
const LONGEST_ID = 254;

/** The whole field with CRLF; without results its value is `none` (RFC 8601 2.2). */
export function formatAuthResults(authservId: string, results: readonly MethodResult[], utf8 = false): string {
  const head = `Authentication-Results: ${pvalue(authservId, utf8)}`;
  if (results.length === 0) return `${head}; none\r\n`;
  return `${fold([`${head};`, ...results.flatMap((result, i) => methodWords(result, i === results.length - 1, utf8))])}\r\n`;
}

function methodWords(
  { method, result, comment, reason, properties = [] }: MethodResult,
  isLast: boolean,
  utf8: boolean,
): string[] {
  const words = [`${method}=${result}`];
  if (comment) words.push(`(${commentText(comment, utf8)})`);
  if (reason) words.push(`reason=${quoted(reason, utf8)}`);
  for (const [property, value] of properties) words.push(`${property}=${pvalue(value, utf8)}`);
  if (!isLast) words.push(`${words.pop()};`);
  return words;
}

export interface ReceivedSpf {
  readonly result: string;
  readonly comment: string;
  /** `client-ip`, `envelope-from`, `helo`, `receiver`, `identity`, ... in order. */
  readonly pairs: readonly (readonly [key: string, value: string])[];
}

export function formatReceivedSpf({ result, comment, pairs }: ReceivedSpf, utf8 = false): string {
  const words = pairs.map(([key, value]) => `${key}=${pvalue(value, utf8)};`);
  return `${fold([`Received-SPF: ${result} (${commentText(comment, utf8)})`, ...words])}\r\n`;
}

/**
 * The authserv-id of a field's value (RFC 8601 2.2), lower case; undefined if it cannot be read. An unreadable one
 * belongs to nobody, and another reader of the field may still take it for ours: `mayClaim` errs on the side of
 * removal.
 */
export function parseAuthservId(value: string): string | undefined {
  const text = skipBlanks(value);
  const match = /^(?:"((?:[^"\\]|\\.)*)"|([^\s;"()]+))/s.exec(text);
  if (!match) return undefined;
  return (match[1]?.replace(/\\(.)/gs, '$1') ?? match[2]!).toLowerCase();
}

/** Whether any reader could take this value for results of `authservId`. */
export function mayClaim(value: string, authservId: string): boolean {
  const said = parseAuthservId(value);
  const ours = authservId.toLowerCase();
  if (said === undefined) return value.toLowerCase().includes(ours);
  // An older version of the field put a version number or `/1` after the id.
  return said === ours || said.startsWith(`${ours}/`) || carelessId(value) === ours;
}

/** The id that a reader sees if it skips everything unexpected: `mx(a) .example.com.` is `mx.example.com`. */
function carelessId(value: string): string {
  let id = '';
  for (let rest = skipBlanks(value); rest !== '' && !rest.startsWith(';'); rest = skipBlanks(rest.slice(1))) {
    if (id.length > LONGEST_ID) return '';
    if (/[!-~]/.test(rest[0]!) && rest[0] !== '"' && rest[0] !== '\\') id += rest[0];
  }
  return id.toLowerCase().replace(/\.$/, '');
}

/** White space and comments in front; nesting is counted, not recursed into. */
function skipBlanks(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (depth > 0 && character === '\\') i++;
    else if (character === '(') depth++;
    else if (depth > 0 && character === ')') depth--;
    else if (depth === 0 && !/\s/.test(character)) return text.slice(i);
  }
  return '';
}

/** RFC 8601 2.2 pvalue: a token (RFC 2045), or an address of plain atoms, else quoted. */
function pvalue(text: string, utf8: boolean): string {
  return /^[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+(?:@[A-Za-z0-9.-]+)?$/.test(text) || /^@[A-Za-z0-9.-]+$/.test(text)
    ? text
    : quoted(text, utf8);
}

function quoted(text: string, utf8: boolean): string {
  return `"${fieldText(text, utf8).replace(/["\\]/g, '\\$&')}"`;
}

function commentText(text: string, utf8: boolean): string {
  return fieldText(text, utf8).replace(/[()\\]/g, '\\$&');
}

function fold(words: readonly string[]): string {
  let field = '';
  let lineLength = 0;
  for (const word of words) {
    const breaks = lineLength > 0 && lineLength + 1 + word.length > FOLD_AT;
    field += lineLength === 0 ? word : breaks ? `\r\n\t${word}` : ` ${word}`;
    lineLength = lineLength === 0 || breaks ? word.length + 8 : lineLength + 1 + word.length;
  }
  return field;
}
