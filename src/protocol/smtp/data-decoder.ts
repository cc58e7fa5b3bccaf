/**
 * Incoming data (RFC 5321 4.1.1.4, 4.5.2): finds the end and removes the stuffed dots.
 *
 * Only CRLF.CRLF ends data, only a dot after CRLF is stuffed; anything looser lets a second message be smuggled into
 * the first. Chunks may be cut anywhere; the output is slices of them. newlines.ts decides which newlines the content
 * may have. Ready for the next message after an end.
 */
import { isStuffable, lines } from './line-scan.ts';

export interface DataDecoder {
  /**
   * Reads `chunk` from `from` on and passes content to `write`, in order; `isPlain` as in NewlineGuard.push. Returns
   * where the bytes after the end of data begin, or -1 before the end.
   */
  push(chunk: Buffer, from: number, write: (slice: Buffer, isPlain: boolean) => void): number;
}

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const LINE_THEN_DOT = Buffer.from('\r\n.');
const HELD_CR = Buffer.from('\r');

/** The part of CRLF.CRLF that the bytes so far end with; the CR of `dot-cr` is held back. */
type Matched = 'nothing' | 'cr' | 'line-start' | 'dot' | 'dot-cr';

export function createDataDecoder(): DataDecoder {
  let matched: Matched = 'line-start';
  let looked: Buffer = HELD_CR;
  /** The chunk so far has only whole lines. */
  let isPlain = true;

  const lookThrough = (chunk: Buffer): void => {
    looked = chunk;
    isPlain = true;
    lines.begin(chunk);
  };

  /** The position of the next CRLF followed by a dot, or -1. */
  const nextDotLine = (at: number): number => {
    if (isPlain) {
      const found = lines.next(looked, at);
      if (found < 0 || isStuffable(looked, found)) return found < 0 ? -1 : found - 2;
      isPlain = false;
    }
    return looked.indexOf(LINE_THEN_DOT, at);
  };

  return {
    push(chunk, from, write) {
      let start = from;
      let at = from;
      lookThrough(chunk);
      for (;;) {
        // A match that has begun continues byte by byte, until it breaks or the data ends.
        while (matched !== 'nothing' && at < chunk.length) {
          const byte = chunk[at];
          if (matched === 'line-start' && byte === DOT) {
            if (at > start) write(chunk.subarray(start, at), false);
            start = ++at;
            matched = 'dot';
          } else if (matched === 'cr' && byte === LF) {
            at++;
            matched = 'line-start';
          } else if (matched === 'dot' && byte === CR) {
            start = ++at;
            matched = 'dot-cr';
          } else if (matched === 'dot-cr' && byte === LF) {
            matched = 'line-start';
            return at + 1;
          } else {
            if (matched === 'dot-cr') write(HELD_CR, false);
            matched = 'nothing';
          }
        }
        const line = at < chunk.length ? nextDotLine(at) : -1;
        if (line < 0) {
          if (start < chunk.length) write(start === 0 ? chunk : chunk.subarray(start), isPlain);
          if (at < chunk.length) matched = matchedAtEnd(chunk, at);
          return -1;
        }
        write(chunk.subarray(start, line + 2), isPlain);
        start = at = line + LINE_THEN_DOT.length;
        matched = 'dot';
      }
    },
  };
}

function matchedAtEnd(chunk: Buffer, from: number): Matched {
  const last = chunk.length - 1;
  if (chunk[last] === CR) return 'cr';
  return chunk[last] === LF && last > from && chunk[last - 1] === CR ? 'line-start' : 'nothing';
}
