/**
 * Base64 bodies (RFC 2045 6.8), whole and streaming.
 *
 * Decoding skips bytes outside the alphabet, as 6.8 demands; each quantum of four is decoded alone, so that bodies
 * concatenated after padding lose nothing. `isMalformed` reports what a strict reader would refuse. Encoding writes
 * lines of 76 with CRLF.
 */
export interface Decoded {
  readonly bytes: Uint8Array;
  /** It has bytes outside the encoding; readers treat them differently. */
  readonly isMalformed: boolean;
}

const INVALID = 255;
const PADDING = 254;
const BLANK = 253;
const VALUES = new Uint8Array(256).fill(INVALID);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;
VALUES[61] = PADDING;
for (const blank of [9, 10, 13, 32]) VALUES[blank] = BLANK;

export function decodeBase64(input: Uint8Array): Decoded {
  const bytes = new Uint8Array(Math.ceil((input.length * 3) / 4) + 3);
  let length = 0;
  let bits = 0;
  let characters = 0;
  let hasEnded = false;
  let isMalformed = false;
  for (let i = 0; i < input.length; i++) {
    const value = VALUES[input[i]!]!;
    if (value < 64) {
      if (hasEnded) isMalformed = true;
      hasEnded = false;
      bits = (bits << 6) | value;
      if (++characters < 4) continue;
      bytes[length++] = bits >> 16;
      bytes[length++] = bits >> 8;
      bytes[length++] = bits;
      bits = 0;
      characters = 0;
    } else if (value === PADDING) {
      if (characters === 1 || (characters === 0 && !hasEnded)) isMalformed = true;
      length = flush(bytes, length, bits, characters);
      bits = 0;
      characters = 0;
      hasEnded = true;
    } else if (value === INVALID) isMalformed = true;
  }
  if (characters > 0) isMalformed = true;
  length = flush(bytes, length, bits, characters);
  return { bytes: bytes.subarray(0, length), isMalformed };
}

/** The one or two bytes of a quantum that ended early. */
function flush(bytes: Uint8Array, length: number, bits: number, characters: number): number {
  if (characters === 2) {
    bytes[length] = bits >> 4;
    return length + 1;
  }
  if (characters === 3) {
    bytes[length] = bits >> 10;
    bytes[length + 1] = bits >> 2;
    return length + 2;
  }
  return length;
}

/** Takes bytes, returns lines; `end` returns the rest, with its line break if `endWithBreak`. */
export interface BodyEncoder {
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

const OCTETS_A_LINE = 57;

export function createBase64Encoder(): BodyEncoder {
  let rest: Buffer = Buffer.alloc(0);
  let isFirstLine = true;

  function encode(whole: Buffer): Uint8Array {
    let text = '';
    for (let at = 0; at < whole.length; at += OCTETS_A_LINE) {
      // A line break goes before every line but the first: the boundary after the part brings its own.
      if (isFirstLine) isFirstLine = false;
      else text += '\r\n';
      text += whole.toString('base64', at, Math.min(at + OCTETS_A_LINE, whole.length));
    }
    return Buffer.from(text, 'latin1');
  }

  return {
    push(chunk) {
      const all =
        rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      const whole = all.length - (all.length % OCTETS_A_LINE);
      rest = Buffer.from(all.subarray(whole));
      return encode(all.subarray(0, whole));
    },
    end() {
      const last = encode(rest);
      rest = Buffer.alloc(0);
      return last;
    },
  };
}
