/**
 * Data on the way in (RFC 5321 4.1.1.4, 4.5.2): finds the end and takes the stuffed dots away.
 *
 * Only CRLF.CRLF ends data, only a dot behind CRLF is stuffed; anything looser lets a second message
 * be smuggled into the first. Chunks may be cut anywhere; what comes out are slices of them. Which
 * newlines the content may have is newlines.ts's business. Ready for the next message after an end.
 */
import { isStuffable, lines } from './line-scan.ts';

export interface DataDecoder {
  /**
   * Takes `chunk` from `from` on and hands content to `write`, in order; `isPlain` as NewlineGuard.push takes
   * it. Returns where the bytes behind the end of data begin, or -1 while the end has not come.
   */
  push(chunk: Buffer, from: number, write: (slice: Buffer, isPlain: boolean) => void): number;
}

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const LINE_THEN_DOT = Buffer.from('\r\n.');
const HELD_CR = Buffer.from('\r');

/** How much of CRLF.CRLF the bytes so far end with; the CR of `dot-cr` is held back. */
type Matched = 'nothing' | 'cr' | 'line-start' | 'dot' | 'dot-cr';

export function createDataDecoder(): DataDecoder {
  let matched: Matched = 'line-start';
  let looked: Buffer = HELD_CR;
  /** Nothing but whole lines was found in the chunk so far. */
  let isPlain = true;

  const lookThrough = (chunk: Buffer): void => {
    looked = chunk;
    isPlain = true;
    lines.begin(chunk);
  };

  /** Where the next CRLF stands that a dot follows, or -1. */
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
        // A match that has begun goes on byte by byte, until it breaks or the data ends.
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
