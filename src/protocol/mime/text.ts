/**
 * Bytes of a header as strings: `binary`, one character a byte, where structure is read; `text`, UTF-8 if valid (RFC
 * 6532) and else Latin-1, where a person reads.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function binaryString(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return view(bytes).toString('latin1', start, end);
}

export function binaryBytes(value: string): Uint8Array {
  return Buffer.from(value, 'latin1');
}

/** A binary string as a person should see it. */
export function readable(value: string): string {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 127) return decodeUtf8(value);
  return value;
}

function decodeUtf8(value: string): string {
  try {
    return utf8.decode(binaryBytes(value));
  } catch {
    return value;
  }
}

/** RFC 5322 2.2.3: the line breaks are removed, the white space after them stays. */
export function unfold(value: string): string {
  return value.includes('\n') ? value.replaceAll(/\r?\n/g, '') : value;
}

/** The value of a field as a trimmed binary string, unfolded. */
export function fieldValue(bytes: Uint8Array, field: { readonly valueStart: number; readonly end: number }): string {
  let { valueStart: start, end } = field;
  while (start < end && isSpace(bytes[start]!)) start++;
  while (start < end && isSpace(bytes[end - 1]!)) end--;
  return unfold(binaryString(bytes, start, end));
}

/** Only ASCII white space: beyond it a byte is a part of some character. */
function isSpace(octet: number): boolean {
  return octet === 32 || (octet >= 9 && octet <= 13);
}
