/**
 * Encoded words of RFC 2047 in unstructured text, for the log.
 *
 * Adjacent words of one charset are joined before they are decoded, as senders split characters across them; words of
 * a charset with states (ISO-2022-JP) are decoded one by one. Undecodable text stays as it is written. The result has
 * no control or bidirectional formatting characters, so that it can neither break nor disguise a line of a log.
 */
import { cleanLine } from '../text/unsafe.ts';
import { decodeBase64 } from './base64.ts';
import { decodeCharset } from './charset.ts';
import { hexValue } from './hex.ts';
import { binaryBytes, readable } from './text.ts';

interface EncodedWord {
  readonly charset: string;
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** `value` is an unfolded binary string. At most `maxCharacters` are returned. */
export function decodeUnstructured(value: string, maxCharacters: number): string {
  if (!value.includes('=?')) return printable(readable(value.slice(0, 4 * maxCharacters)), maxCharacters);
  let text = '';
  // Searched once: a search for an end at each beginning would cost quadratic time.
  const lastEnd = value.lastIndexOf('?=');
  let position = 0;
  while (position < value.length && text.length < maxCharacters) {
    const start = value.indexOf('=?', position);
    const word = start < 0 ? undefined : parseWord(value, start, lastEnd);
    if (!word) {
      const end = start < 0 ? value.length : start + 2;
      text += readable(value.slice(position, end));
      position = end;
      continue;
    }
    text += readable(value.slice(position, start));
    const run = joinRun(value, word, lastEnd);
    text += decodeCharset(run.bytes, run.charset) ?? value.slice(start, run.end);
    position = run.end;
  }
  return printable(text, maxCharacters);
}

/** `=?charset?encoding?text?=` at `start`; RFC 2231 5 allows `charset*language`. */
function parseWord(value: string, start: number, lastEnd: number): EncodedWord | undefined {
  const charsetEnd = value.indexOf('?', start + 2);
  if (charsetEnd <= start + 2 || value[charsetEnd + 2] !== '?') return undefined;
  const encoding = value[charsetEnd + 1]!.toLowerCase();
  if ((encoding !== 'q' && encoding !== 'b') || lastEnd < charsetEnd + 3) return undefined;
  const textEnd = value.indexOf('?=', charsetEnd + 3);
  const encoded = value.slice(charsetEnd + 3, textEnd);
  const charset = value.slice(start + 2, charsetEnd).split('*', 1)[0]!;
  const bytes = encoding === 'q' ? decodeQ(encoded) : decodeBase64(binaryBytes(encoded)).bytes;
  return { charset, bytes, end: textEnd + 2 };
}

/** RFC 2047 3: such words begin and end in ASCII, so their bytes may not be joined. */
const BEGINS_ANEW = /^(?:iso-2022-|hz-)/i;

/** RFC 2047 6.2: white space between encoded words is not shown; here they also share a charset. */
function joinRun(value: string, first: EncodedWord, lastEnd: number): EncodedWord {
  const pieces = [first.bytes];
  let end = first.end;
  for (;;) {
    let next = end;
    while (value[next] === ' ' || value[next] === '\t') next++;
    const word = value.startsWith('=?', next) ? parseWord(value, next, lastEnd) : undefined;
    if (!word) break;
    if (word.charset.toLowerCase() !== first.charset.toLowerCase() || BEGINS_ANEW.test(first.charset)) {
      end = next;
      break;
    }
    pieces.push(word.bytes);
    end = word.end;
  }
  return { charset: first.charset, bytes: pieces.length === 1 ? first.bytes : Buffer.concat(pieces), end };
}

/** RFC 2047 4.2. `isWord`: an underscore is a space. */
export function decodeQ(text: string, isWord = true): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const high = c === 61 ? hexValue(text.charCodeAt(i + 1)) : -1;
    const low = high < 0 ? -1 : hexValue(text.charCodeAt(i + 2));
    if (low >= 0) {
      bytes[length++] = high * 16 + low;
      i += 2;
    } else bytes[length++] = c === 95 && isWord ? 32 : c;
  }
  return bytes.subarray(0, length);
}

/** Without characters that steer a terminal or change the direction of text. */
export function printable(text: string, maxCharacters: number): string {
  return cleanLine(text.length > maxCharacters ? text.slice(0, maxCharacters) : text, ' ').trim();
}
