/**
 * Foreign text inside fields of a report: text of a remote host or a sender can never end a line, start a field or
 * steer a terminal.
 */
import { cleanLine } from '../text/unsafe.ts';

/** One line: line breaks and control characters become single spaces; bounded. */
export function oneLine(text: string, maxCharacters = 2_000): string {
  return cleanLine(text.slice(0, maxCharacters), ' ').replaceAll(/ {2,}/g, ' ').trim();
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** For fields that may contain only ASCII (RFC 3464 2.1.1). */
export function asciiOnly(text: string): string {
  return isAscii(text) ? text : text.replaceAll(/[^\0-\x7f]+/g, '?');
}

const FOLD_AT = 76;
/** A UTF-8 word this long has at most 960 bytes: RFC 5322 2.1.1 allows 998 a line. Addresses are shorter. */
const LONGEST_WORD = 320;

/**
 * `Name: value` folded at spaces (RFC 5322 2.2.3), CRLF-ended, and one field whatever it contains. Only a word beyond
 * all bounds is broken.
 */
export function field(name: string, value: string): string {
  // Joined line by line: thousands of joined words would form a chain of as many pieces until the report is written.
  const lines: string[] = [];
  let line = `${name}:`;
  for (const word of words(cleanLine(value, ' '))) {
    if (line.length + 1 + word.length > FOLD_AT && line.length > name.length + 1) {
      lines.push(line);
      line = '';
    }
    line += ` ${word}`;
  }
  lines.push(line, '');
  return lines.join('\r\n');
}

function* words(value: string): Generator<string> {
  for (const word of value.split(' '))
    for (let at = 0; at === 0 || at < word.length; at += LONGEST_WORD) yield word.slice(at, at + LONGEST_WORD);
}
