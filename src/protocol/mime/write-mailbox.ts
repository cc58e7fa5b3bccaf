/**
 * Writes a mailbox for an address field (RFC 5322 3.4): the display name as a quoted string, or in
 * encoded words (RFC 2047) where it leaves ASCII. No name can end the field or begin another.
 */
import { cleanLine } from '../text/unsafe.ts';

/** RFC 2047 2: 75 characters a word, of which `=?utf-8?B??=` takes 12; base64 makes four of three octets. */
const WORD_OCTETS = 45;
const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/** `address`: as it stands between angle brackets. */
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
  let octets = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (octets + size > WORD_OCTETS) {
      words.push(piece);
      piece = '';
      octets = 0;
    }
    piece += character;
    octets += size;
  }
  words.push(piece);
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}
