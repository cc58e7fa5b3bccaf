/**
 * Writes a mailbox for an address field (RFC 5322 3.4): the display name as a quoted string, or in encoded words (RFC
 * 2047) beyond ASCII. No name can end the field or begin another.
 */
import { cleanLine } from '../text/unsafe.ts';

/** RFC 2047 2: 75 characters a word, of which `=?utf-8?B??=` takes 12; base64 turns three bytes into four. */
const WORD_BYTES = 45;
const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/** `address`: the text between the angle brackets. */
export function writeMailbox(name: string, address: string): string {
  const clean = cleanLine(name, ' ').trim();
  const bare = cleanLine(address, '');
  if (clean === '') return `<${bare}>`;
  return PLAIN_ASCII.test(clean) && !clean.includes('=?')
    ? `"${clean.replaceAll(/["\\]/g, '\\$&')}" <${bare}>`
    : `${encodeWords(clean)} <${bare}>`;
}

/** No character is split across two words (RFC 2047 5). */
function encodeWords(text: string): string {
  const words: string[] = [];
  let piece = '';
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > WORD_BYTES) {
      words.push(piece);
      piece = '';
      bytes = 0;
    }
    piece += character;
    bytes += size;
  }
  words.push(piece);
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}
