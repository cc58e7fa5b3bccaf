/**
 * xtext (RFC 3461 4) and utf-8-addr-xtext / -unitext (RFC 6533 3): how DSN parameters encode what the command line
 * cannot carry. Decoders return undefined for anything the grammar does not allow.
 */

const HEX_PAIR = /\+([0-9A-F]{2})/g;
/** RFC 3461 4: xchar is any ASCII from "!" to "~" except "+" and "=". */
const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;
/** RFC 6533 3: QCHAR also leaves out the backslash; unitext adds all of UTF-8 beyond ASCII. */
const UNITEXT = /^(?:[!-*,-<>-[\]-~]|[^\x00-\x7f]|\\x\{[0-9A-F]{2,6}\})+$/;
const EMBEDDED = /\\x\{([0-9A-F]{2,6})\}/g;

export function encodeXtext(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte >= 0x21 && byte <= 0x7e && byte !== 0x2b && byte !== 0x3d;
    encoded += plain ? String.fromCharCode(byte) : `+${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Only printable ASCII is returned: a decoded CR or LF would forge lines of a DSN. */
export function decodeXtext(encoded: string): string | undefined {
  if (!XTEXT.test(encoded)) return undefined;
  if (!encoded.includes('+')) return encoded;
  const text = encoded.replace(HEX_PAIR, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return /^[ -~]*$/.test(text) ? text : undefined;
}

/** `unitext` if the peer offers SMTPUTF8: characters beyond ASCII stay unchanged. */
export function encodeUtf8Address(address: string, form: 'xtext' | 'unitext'): string {
  let encoded = '';
  for (const character of address) {
    const point = character.codePointAt(0)!;
    const plain = point > 0x7f ? form === 'unitext' : point > 0x20 && point < 0x7f && !'+=\\'.includes(character);
    encoded += plain ? character : `\\x{${point.toString(16).toUpperCase().padStart(2, '0')}}`;
  }
  return encoded;
}

export function decodeUtf8Address(encoded: string): string | undefined {
  if (!UNITEXT.test(encoded)) return undefined;
  if (!encoded.includes('\\')) return encoded;
  let valid = true;
  const text = encoded.replace(EMBEDDED, (_, hex: string) => {
    const point = Number.parseInt(hex, 16);
    if (point < 0x20 || point === 0x7f || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) valid = false;
    return valid ? String.fromCodePoint(point) : '';
  });
  return valid ? text : undefined;
}
