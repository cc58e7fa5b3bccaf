/**
 * Whether a line is a boundary delimiter (RFC 2046 5.1.1).
 *
 * Only white space may stand behind a delimiter. RFC 2046 also lets a reader stop comparing at the
 * end of the boundary; such a line is `like`, since readers differ there.
 */
export type BoundaryMatch = 'none' | 'open' | 'close' | 'like';

const HYPHEN = 45;

/** `head` starts with two hyphens; it may be cut off where the line is longer than any delimiter. */
export function matchBoundary(head: Uint8Array, boundary: Uint8Array): BoundaryMatch {
  if (head.length < boundary.length + 2) return 'none';
  for (let i = 0; i < boundary.length; i++) if (head[i + 2] !== boundary[i]) return 'none';
  const behind = boundary.length + 2;
  if (isBlankFrom(head, behind)) return 'open';
  const isClose = head[behind] === HYPHEN && head[behind + 1] === HYPHEN;
  return isClose && isBlankFrom(head, behind + 2) ? 'close' : 'like';
}

function isBlankFrom(head: Uint8Array, start: number): boolean {
  for (let i = start; i < head.length; i++) {
    const c = head[i]!;
    // A CR here ends the line, or is one of several before the LF.
    if (c !== 32 && c !== 9 && c !== 13) return false;
  }
  return true;
}

/** One of two boundaries is the beginning of the other: then a delimiter of one can be taken for the other's. */
export function overlap(a: Uint8Array, b: Uint8Array): 'equal' | 'prefix' | 'none' {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return 'none';
  return a.length === b.length ? 'equal' : 'prefix';
}
