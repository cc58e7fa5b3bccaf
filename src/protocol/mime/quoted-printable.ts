/**
 * Quoted-printable bodies (RFC 2045 6.7), whole and streaming.
 *
 * Decoding follows the advice of 6.7: white space at line ends is removed, a wrong escape stays as written and sets
 * `isMalformed`. Encoding keeps CRLF as line break, encodes a CR or LF alone, and writes lines of at most 76
 * characters.
 */
import type { BodyEncoder, Decoded } from './base64.ts';
import { hexValue } from './hex.ts';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const HYPHEN = 45;
const EQUALS = 61;

export function decodeQuotedPrintable(input: Uint8Array): Decoded {
  const bytes = new Uint8Array(input.length);
  let length = 0;
  /** The length of the output without white space that may be at the end of its line. */
  let kept = 0;
  let isMalformed = false;
  for (let i = 0; i < input.length; i++) {
    const c = input[i]!;
    if (c === EQUALS) {
      const softEnd = endOfSoftBreak(input, i + 1);
      if (softEnd >= 0) {
        i = softEnd - 1;
        kept = length;
        continue;
      }
      const high = hexValue(input[i + 1]!);
      const low = high < 0 ? -1 : hexValue(input[i + 2]!);
      if (low < 0) {
        isMalformed = true;
        bytes[length++] = c;
      } else {
        bytes[length++] = high * 16 + low;
        i += 2;
      }
      kept = length;
    } else if (c === LF || (c === CR && input[i + 1] === LF)) {
      length = kept;
      bytes[length++] = c;
      if (c === CR) bytes[length++] = input[++i]!;
      kept = length;
    } else {
      bytes[length++] = c;
      if (c !== SPACE && c !== TAB) kept = length;
      if (c > 126 || (c < SPACE && c !== TAB)) isMalformed = true;
    }
  }
  return { bytes: bytes.subarray(0, kept), isMalformed };
}

/** After `=`: where a soft line break ends (also at the end of the input), else -1. */
function endOfSoftBreak(input: Uint8Array, start: number): number {
  let i = start;
  while (input[i] === SPACE || input[i] === TAB) i++;
  if (i >= input.length) return input.length;
  if (input[i] === LF) return i + 1;
  return input[i] === CR && input[i + 1] === LF ? i + 2 : -1;
}

const HEX = '0123456789ABCDEF';
const LONGEST_LINE = 76;
/**
 * The output buffer is four times as large as the input: for a large chunk it would be allocated from the system each
 * time.
 */
const BLOCK_BYTES = 16 * 1024;

export function createQuotedPrintableEncoder(): BodyEncoder {
  let column = 0;
  /** A blank or CR whose meaning depends on the next byte; 0 for none. */
  let heldBlank = 0;
  let heldCr = false;
  /** The current line is the rest of one that was broken here. */
  let isContinued = false;

  function encode(chunk: Uint8Array): Uint8Array {
    // A byte becomes three; a soft break of three comes every 73 or more; a held byte adds two.
    const out = new Uint8Array(chunk.length * 4 + 16);
    let length = 0;
    const room = (width: number): void => {
      if (column + width < LONGEST_LINE) return;
      out[length++] = EQUALS;
      out[length++] = CR;
      out[length++] = LF;
      column = 0;
      isContinued = true;
    };
    const escaped = (c: number): void => {
      room(3);
      out[length++] = EQUALS;
      out[length++] = HEX.charCodeAt(c >> 4);
      out[length++] = HEX.charCodeAt(c & 15);
      column += 3;
    };
    const literal = (c: number): void => {
      room(1);
      // The original has no boundary at the start of this line, and our line break must not create one.
      if (c === HYPHEN && column === 0 && isContinued) escaped(c);
      else {
        out[length++] = c;
        column++;
      }
    };
    for (const c of chunk) {
      if (heldCr) {
        heldCr = false;
        if (c === LF) {
          if (heldBlank) escaped(heldBlank);
          heldBlank = 0;
          out[length++] = CR;
          out[length++] = LF;
          column = 0;
          isContinued = false;
          continue;
        }
        if (heldBlank) literal(heldBlank);
        heldBlank = 0;
        escaped(CR);
      }
      if (c === CR) {
        heldCr = true;
        continue;
      }
      if (heldBlank) literal(heldBlank);
      heldBlank = 0;
      if (c === SPACE || c === TAB) heldBlank = c;
      else if (c > SPACE && c < 127 && c !== EQUALS) literal(c);
      else escaped(c);
    }
    return out.subarray(0, length);
  }

  return {
    push(chunk) {
      if (chunk.length <= BLOCK_BYTES) return encode(chunk);
      const blocks: Uint8Array[] = [];
      for (let at = 0; at < chunk.length; at += BLOCK_BYTES) blocks.push(encode(chunk.subarray(at, at + BLOCK_BYTES)));
      return Buffer.concat(blocks);
    },
    end() {
      let text = '';
      const last = heldBlank ? [heldBlank] : [];
      if (heldCr) last.push(CR);
      for (const c of last) {
        if (column + 3 >= LONGEST_LINE) {
          text += '=\r\n';
          column = 0;
        }
        text += `=${HEX[c >> 4]}${HEX[c & 15]}`;
        column += 3;
      }
      heldBlank = 0;
      heldCr = false;
      return Buffer.from(text, 'latin1');
    },
  };
}

export function encodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const encoder = createQuotedPrintableEncoder();
  const body = encoder.push(bytes);
  return Buffer.concat([body, encoder.end()]);
}
