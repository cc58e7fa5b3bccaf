/**
 * Finds the end of a header while it arrives, at any split of its chunks.
 *
 * `push` returns the offset of the body once the empty line was seen, the problem once the header is beyond its
 * bounds, and undefined before. After a result it repeats that result.
 */
import { MIME_LIMITS } from './limits.ts';
import type { HeaderProblem } from './types.ts';

export type HeaderEnd = number | Extract<HeaderProblem, 'header-too-long' | 'line-too-long'>;

export interface HeaderEndFinder {
  push(chunk: Uint8Array): HeaderEnd | undefined;
}

const LF = 10;
const CR = 13;

export function createHeaderEnd(): HeaderEndFinder {
  let offset = 0;
  let lineStart = 0;
  /** The line so far is a single CR. */
  let onlyCr = false;
  let answer: HeaderEnd | undefined;

  function step(chunk: Uint8Array): HeaderEnd | undefined {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(LF, from);
      const lineEnd = offset + (at < 0 ? chunk.length : at);
      if (lineEnd === lineStart + 1) onlyCr = lineEnd > offset + from ? chunk[from] === CR : onlyCr;
      if (lineEnd - lineStart > MIME_LIMITS.headerLineBytes + 1) return 'line-too-long';
      if (lineEnd >= MIME_LIMITS.headerBytes) return 'header-too-long';
      if (at < 0) break;
      if (lineEnd === lineStart || (lineEnd === lineStart + 1 && onlyCr)) return lineEnd + 1;
      from = at + 1;
      lineStart = lineEnd + 1;
    }
    offset += chunk.length;
    return undefined;
  }

  return {
    push(chunk) {
      answer ??= step(chunk);
      return answer;
    },
  };
}
