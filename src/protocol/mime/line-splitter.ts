/**
 * Chunks of a message into lines, without holding more of a line than its first bytes.
 *
 * A line is reported once it is whole: its position, its line break, which bytes it has, and its head as far as a
 * boundary delimiter can reach. `bytes` receives everything as it arrives, for callers that need it all.
 */
import { MIME_LIMITS } from './limits.ts';

/** One object is used for all lines: copy what you need before you return. */
export interface Line {
  start: number;
  /** Bytes without the line break. */
  length: number;
  /** 2 for CRLF, 1 for LF alone, 0 where the message ends without. */
  breakLength: 0 | 1 | 2;
  /** The first bytes, only if the line starts with two hyphens; else empty. */
  head: Uint8Array;
  /** All bytes, combined by OR. */
  mask: number;
  /** It contains NUL or a CR alone; `breakLength` reports the line break. */
  isBinary: boolean;
}

export interface LineSink {
  /** A part of the current line, `[from, to)` of `chunk`, before the line is reported. */
  bytes(chunk: Uint8Array, from: number, to: number): void;
  line(line: Line): void;
}

const LF = 10;
const CR = 13;
const HYPHEN = 45;
/** Two hyphens, the boundary, two hyphens, and some transport padding. */
const HEAD_BYTES = MIME_LIMITS.boundaryBytes + 64;
const NOTHING = new Uint8Array(0);

export function createLineSplitter(sink: LineSink): { push(chunk: Uint8Array): void; end(): number } {
  const line: Line = { start: 0, length: 0, breakLength: 0, head: NOTHING, mask: 0, isBinary: false };
  const kept = new Uint8Array(HEAD_BYTES);
  let keptLength = 0;
  let offset = 0;
  /** The byte before this chunk was a CR of the current line. */
  let endsInCr = false;

  function tell(nextStart: number): void {
    sink.line(line);
    line.start = nextStart;
    line.length = 0;
    line.mask = 0;
    line.isBinary = false;
    keptLength = 0;
  }

  function keep(chunk: Uint8Array, from: number, to: number): void {
    const room = Math.min(to - from, HEAD_BYTES - keptLength);
    if (room > 0) kept.set(chunk.subarray(from, from + room), keptLength);
    keptLength += Math.max(room, 0);
  }

  /** The head of the line whose last bytes are `[from, to)` of `chunk`. */
  function headOf(chunk: Uint8Array, from: number, to: number): Uint8Array {
    if (keptLength > 0) {
      keep(chunk, from, to);
      return kept[0] === HYPHEN && kept[1] === HYPHEN ? kept.subarray(0, keptLength) : NOTHING;
    }
    return chunk[from] === HYPHEN && chunk[from + 1] === HYPHEN
      ? chunk.subarray(from, Math.min(to, from + HEAD_BYTES))
      : NOTHING;
  }

  function push(chunk: Uint8Array): void {
    const end = chunk.length;
    if (end > 0 && endsInCr && chunk[0] !== LF) line.isBinary = true;
    let from = 0;
    let i = 0;
    while (from < end) {
      let mask = line.mask;
      for (; i < end; i++) {
        const c = chunk[i]!;
        mask |= c;
        if (c > CR) continue;
        if (c === LF) break;
        if (c === 0 || (c === CR && i + 1 < end && chunk[i + 1] !== LF)) line.isBinary = true;
      }
      line.mask = mask;
      if (i === end) {
        keep(chunk, from, end);
        sink.bytes(chunk, from, end);
        line.length += end - from;
        endsInCr = chunk[end - 1] === CR;
        break;
      }
      const hasCr = i > from ? chunk[i - 1] === CR : endsInCr;
      line.breakLength = hasCr ? 2 : 1;
      line.length += i - from - (hasCr ? 1 : 0);
      line.head = headOf(chunk, from, i);
      sink.bytes(chunk, from, ++i);
      tell(offset + i);
      from = i;
      endsInCr = false;
    }
    offset += end;
  }

  return {
    push,
    /** Reports a last line without a line break; returns the size of the message. */
    end() {
      if (line.length > 0) {
        if (endsInCr) line.isBinary = true;
        line.breakLength = 0;
        line.head = kept[0] === HYPHEN && kept[1] === HYPHEN ? kept.subarray(0, keptLength) : NOTHING;
        tell(offset);
      }
      return offset;
    },
  };
}
