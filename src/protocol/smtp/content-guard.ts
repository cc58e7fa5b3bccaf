/**
 * Finds what content must not have: a bare CR or LF (newlines.ts) and NUL, at every chunk split. Of a BINARYMIME
 * message only the header is checked: its body may have any byte (RFC 3030 3).
 *
 * Linear, one slice at a time. Once something is to be refused, nothing more is passed on.
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
  /** Passes the accepted bytes to `write`. `isPlain`: as in NewlineGuard.push. */
  push(slice: Buffer, write: (slice: Buffer) => void, isPlain?: boolean): void;
  /** Call once, at the end of the content. Returns the faults. */
  finish(write: (slice: Buffer) => void): ContentFaults;
  /** A fault was found that is refused. */
  readonly refuses: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const NUL = 0;

export function createContentGuard({ newlines, nul, isBinary }: ContentRules): ContentGuard {
  const guard = createNewlineGuard(newlines);
  const header = isBinary ? createHeaderEnd() : undefined;
  let hasNul = false;
  /** The faults of a header that has ended. */
  let bare: BareNewlines | undefined;

  const refuses = (): boolean =>
    (hasNul && nul === 'refuse') || (newlines === 'refuse' && (bare ?? guard.found) !== 'none');

  /** After a NUL that is refused, newlines were not checked: a CR before it need not be bare. */
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
 * Finds the empty line after the header, for any newlines that a reader may accept: everything that some reader takes
 * for the header is checked. `find`: how many bytes of the slice still belong to the header; -1: all, and it
 * continues.
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
