/**
 * Bytes in a named charset as text, to show in a log.
 *
 * The names are those of the Encoding Standard, which covers mail. Invalid bytes become U+FFFD. `undefined` for an
 * unknown charset.
 */
const decoders = new Map<string, TextDecoder>();

export function decodeCharset(bytes: Uint8Array, charset: string): string | undefined {
  const label = charset.toLowerCase();
  // Nearly all mail, and much faster this way.
  if (label === 'utf-8') return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let decoder = decoders.get(label);
  if (!decoder) {
    try {
      decoder = new TextDecoder(label);
    } catch {
      return undefined;
    }
    // Bounded: only the labels of the standard get here, a few hundred.
    decoders.set(label, decoder);
  }
  return decoder.decode(bytes);
}
