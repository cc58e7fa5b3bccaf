/**
 * Whether a line is a boundary delimiter (RFC 2046 5.1.1).
 *
 * Only white space may follow a delimiter, yet a reader may stop comparing at the end of the boundary. So a delimiter
 * followed by words is `odd`: accepted, and reported. A line that continues without a blank, as `--boundary2` does
 * for `boundary`, is `like` one: not accepted, but reported.
 */
export type BoundaryMatch = 'none' | 'open' | 'close' | 'odd-open' | 'odd-close' | 'like';

const HYPHEN = 45;

/** `head` starts with two hyphens; it may be cut if the line is longer than any delimiter. */
export function matchBoundary(head: Uint8Array, boundary: Uint8Array): BoundaryMatch {
  if (head.length < boundary.length + 2) return 'none';
  for (let i = 0; i < boundary.length; i++) if (head[i + 2] !== boundary[i]) return 'none';
  const behind = boundary.length + 2;
  if (isBlankFrom(head, behind)) return 'open';
  if (isBlank(head[behind]!)) return 'odd-open';
  if (head[behind] !== HYPHEN || head[behind + 1] !== HYPHEN) return 'like';
  if (isBlankFrom(head, behind + 2)) return 'close';
  return isBlank(head[behind + 2]!) ? 'odd-close' : 'like';
}

function isBlank(octet: number): boolean {
  // A CR here ends the line, or is one of several before the LF.
  return octet === 32 || octet === 9 || octet === 13;
}

function isBlankFrom(head: Uint8Array, start: number): boolean {
  for (let i = start; i < head.length; i++) if (!isBlank(head[i]!)) return false;
  return true;
}

/** One of two boundaries is a prefix of the other: then a delimiter of one can be taken for the other's. */
export function overlap(a: Uint8Array, b: Uint8Array): 'equal' | 'prefix' | 'none' {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return 'none';
  return a.length === b.length ? 'equal' : 'prefix';
}
