/**
 * Bare CR and bare LF in content: found at every chunk split, and turned into CRLF on request.
 *
 * RFC 5321 2.3.8 allows neither; servers that disagree about their meaning split one message into two. Slices without
 * any pass through unchanged.
 */
export interface NewlineGuard {
  /**
   * Passes the accepted bytes to `write`; in mode `refuse` nothing more once one is found. `isPlain`: the slice was
   * scanned already and has none, except for an LF at its start and a CR at its end.
   */
  push(slice: Buffer, write: (slice: Buffer) => void, isPlain?: boolean): void;
  /** At the end of the content: a last CR is bare. Ready for the next message. Returns what was found. */
  finish(write: (slice: Buffer) => void): BareNewlines;
  readonly found: BareNewlines;
}

import { hasOnlyCrlf } from './line-scan.ts';

export type BareNewlines = 'none' | 'cr' | 'lf';

const CR = 0x0d;
const LF = 0x0a;
const CRLF = Buffer.from('\r\n');
const ANY_NEWLINE = /\r\n|\r|\n/g;

/** The first one that is no CRLF. */
function bareNewline(latin1: string): BareNewlines {
  for (let from = 0; ; ) {
    const cr = latin1.indexOf('\r', from);
    const lf = latin1.indexOf('\n', from);
    if (cr < 0) return lf < 0 ? 'none' : 'lf';
    if (lf !== cr + 1) return lf >= 0 && lf < cr ? 'lf' : 'cr';
    from = lf + 1;
  }
}

export function createNewlineGuard(mode: 'refuse' | 'normalise'): NewlineGuard {
  /** The last slice ended with CR; in mode `normalise` that CR is held back. */
  let afterCr = false;
  let found: BareNewlines = 'none';

  const note = (bare: BareNewlines): void => {
    if (found === 'none') found = bare;
  };

  /** Resolves the CR before this slice; returns where the slice's own text begins. */
  const settleCr = (slice: Buffer, write: (slice: Buffer) => void): number => {
    if (!afterCr) return 0;
    const completes = slice[0] === LF;
    if (!completes) note('cr');
    if (mode === 'refuse') return completes ? 1 : 0;
    write(CRLF);
    return completes ? 1 : 0;
  };

  return {
    get found() {
      return found;
    },
    push(slice, write, isPlain = false) {
      if (slice.length === 0 || (found !== 'none' && mode === 'refuse')) return;
      const start = settleCr(slice, write);
      afterCr = slice.length > start && slice[slice.length - 1] === CR;
      const end = afterCr ? slice.length - 1 : slice.length;
      const isClean = isPlain || hasOnlyCrlf(slice.subarray(start, end));
      const text = isClean ? '' : slice.toString('latin1', start, end);
      const bare = bareNewline(text);
      if (bare !== 'none') note(bare);
      if (mode === 'refuse') {
        if (found === 'none') write(slice);
      } else if (bare !== 'none') {
        write(Buffer.from(text.replace(ANY_NEWLINE, '\r\n'), 'latin1'));
      } else if (end > start) {
        write(start === 0 && end === slice.length ? slice : slice.subarray(start, end));
      }
    },
    finish(write) {
      if (afterCr) {
        note('cr');
        if (mode === 'normalise') write(CRLF);
      }
      const result = found;
      afterCr = false;
      found = 'none';
      return result;
    },
  };
}
