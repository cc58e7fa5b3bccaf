/**
 * What content may not have: a bare CR or LF (newlines.ts) and NUL, found at every chunk split. Of a
 * BINARYMIME message only the header is looked at: its body may have any octet (RFC 3030 3).
 *
 * Linear, one slice at a time. Once something is to be refused, nothing more is handed on.
 */
import { type BareNewlines, createNewlineGuard } from './newlines.ts';

export interface ContentRules {
  readonly newlines: 'refuse' | 'normalise';
  readonly nul: 'refuse' | 'accept';
  /** BINARYMIME. */
  readonly isBinary: boolean;
}

export interface ContentFaults {
  readonly bare: BareNewlines;
  /** RFC 5322 2.3 has no NUL in a body, RFC 2045 2.7 and RFC 2045 2.8 none in 7-bit and 8-bit data. */
  readonly nul: boolean;
}

export interface ContentGuard {
  /** Hands on to `write` what passes. `isPlain`: as NewlineGuard.push takes it. */
  push(slice: Buffer, write: (slice: Buffer) => void, isPlain?: boolean): void;
  /** At the end of the content, once. Says what was found. */
  finish(write: (slice: Buffer) => void): ContentFaults;
  /** Something was found that is refused. */
  readonly refuses: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const NUL = 0;

export function createContentGuard({ newlines, nul, isBinary }: ContentRules): ContentGuard {
  const guard = createNewlineGuard(newlines);
  const header = isBinary ? createHeaderEnd() : undefined;
  let hasNul = false;
  /** Of a header that has ended. */
  let bare: BareNewlines | undefined;

  const refuses = (): boolean =>
    (hasNul && nul === 'refuse') || (newlines === 'refuse' && (bare ?? guard.found) !== 'none');

  /** Behind a NUL that is refused newlines were not looked at: a CR before it need not be bare. */
  const settled = (write: (slice: Buffer) => void): BareNewlines =>
    hasNul && nul === 'refuse' ? guard.found : guard.finish(write);

  const look = (slice: Buffer, write: (slice: Buffer) => void, isPlain: boolean): void => {
    if (!hasNul && slice.includes(NUL)) hasNul = true;
    if (!refuses()) guard.push(slice, write, isPlain);
  };

  return {
    get refuses() {
      return refuses();
    },
    push(slice, write, isPlain = false) {
      if (!header) {
        look(slice, write, isPlain);
        return;
      }
      let body = slice;
      if (bare === undefined) {
        const end = header.find(slice);
        look(end < 0 ? slice : slice.subarray(0, end), write, false);
        if (end < 0) return;
        bare = settled(write);
        body = slice.subarray(end);
      }
      if (body.length > 0 && !refuses()) write(body);
    },
    finish: (write) => ({ bare: bare ?? settled(write), nul: hasNul }),
  };
}

/**
 * Finds the empty line behind the header, whichever newlines a reader may take for one: what is a
 * header to anybody is looked at. `find`: how many octets of the slice are still header; -1: all, and
 * it goes on.
 */
function createHeaderEnd(): { find(slice: Buffer): number } {
  let isEmptyLine = true;
  let afterCr = false;
  return {
    find(slice) {
      for (let i = 0; i < slice.length; i++) {
        const octet = slice[i];
        if (afterCr) {
          afterCr = false;
          if (isEmptyLine) return octet === LF ? i + 1 : i;
          isEmptyLine = true;
          if (octet === LF) continue;
        }
        if (octet === CR) afterCr = true;
        else if (octet !== LF) isEmptyLine = false;
        else if (isEmptyLine) return i + 1;
        else isEmptyLine = true;
      }
      return -1;
    },
  };
}
