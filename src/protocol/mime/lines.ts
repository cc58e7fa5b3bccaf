/**
 * Lines of a header, one after another, with the kinds of their bytes.
 *
 * CRLF ends a line; LF alone does too and is reported as binary, as mail readers take it for a line end.
 */
import type { ByteFacts } from './types.ts';

const LF = 10;
const CR = 13;

export interface LineCursor {
  /** The line is `[start, end)` without its line break; the next one starts at `next`. */
  start: number;
  end: number;
  next: number;
  /** All bytes so far, combined by OR: above 127 there was an 8-bit one. */
  mask: number;
  isBinary: boolean;
  longestLine: number;
}

export function lineCursor(start: number): LineCursor {
  return { start, end: start, next: start, mask: 0, isBinary: false, longestLine: 0 };
}

/** Moves to the next line before `limit`; the last one may lack its line break. False at the end. */
export function nextLine(bytes: Uint8Array, cursor: LineCursor, limit: number): boolean {
  const start = cursor.next;
  if (start >= limit) return false;
  let mask = cursor.mask;
  let i = start;
  for (; i < limit; i++) {
    const c = bytes[i]!;
    mask |= c;
    if (c > CR) continue;
    if (c === LF) break;
    if (c === 0 || (c === CR && bytes[i + 1] !== LF)) cursor.isBinary = true;
  }
  const hasBreak = i < limit;
  const endsCrLf = hasBreak && i > start && bytes[i - 1] === CR;
  if (hasBreak && !endsCrLf) cursor.isBinary = true;
  cursor.mask = mask;
  cursor.start = start;
  cursor.end = endsCrLf ? i - 1 : i;
  cursor.next = hasBreak ? i + 1 : i;
  if (cursor.end - start > cursor.longestLine) cursor.longestLine = cursor.end - start;
  return true;
}

export function byteFacts(cursor: LineCursor): ByteFacts {
  return { has8bit: cursor.mask > 127, isBinary: cursor.isBinary, longestLine: cursor.longestLine };
}
