/**
 * Jaro-Winkler similarity of two short texts, 0 to 1: common typing errors and variants of names cost little, and
 * less after a common beginning. Linear in the product of the lengths, so both are bounded.
 */

/** Longer texts are compared by their beginning. */
export const COMPARED_CHARACTERS = 64;
/** Winkler's values: up to four characters of common beginning, a tenth of the difference each. */
const PREFIX_CHARACTERS = 4;
const PREFIX_WEIGHT = 0.1;

/** Reused by every call: nothing in here waits. */
const matchedA = new Uint8Array(COMPARED_CHARACTERS);
const matchedB = new Uint8Array(COMPARED_CHARACTERS);

export function jaroWinkler(a: string, b: string): number {
  const jaro = jaroSimilarity(a, b);
  const most = Math.min(PREFIX_CHARACTERS, a.length, b.length);
  let prefix = 0;
  while (prefix < most && a.charCodeAt(prefix) === b.charCodeAt(prefix)) prefix++;
  return withPrefix(jaro, prefix);
}

/** `jaro` may be an upper bound: then the result is one, too. */
export function withPrefix(jaro: number, prefix: number): number {
  return jaro + prefix * PREFIX_WEIGHT * (1 - jaro);
}

function jaroSimilarity(a: string, b: string): number {
  const lengthA = Math.min(a.length, COMPARED_CHARACTERS);
  const lengthB = Math.min(b.length, COMPARED_CHARACTERS);
  if (lengthA === 0 || lengthB === 0) return lengthA === lengthB ? 1 : 0;
  const reach = Math.max(0, (Math.max(lengthA, lengthB) >> 1) - 1);
  matchedA.fill(0, 0, lengthA);
  matchedB.fill(0, 0, lengthB);
  let matches = 0;
  for (let i = 0; i < lengthA; i++) {
    const last = Math.min(lengthB - 1, i + reach);
    for (let j = Math.max(0, i - reach); j <= last; j++) {
      if (matchedB[j] !== 0 || a.charCodeAt(i) !== b.charCodeAt(j)) continue;
      matchedA[i] = matchedB[j] = 1;
      matches++;
      break;
    }
  }
  if (matches === 0) return 0;
  let outOfOrder = 0;
  for (let i = 0, j = 0; i < lengthA; i++) {
    if (matchedA[i] === 0) continue;
    while (matchedB[j] === 0) j++;
    if (a.charCodeAt(i) !== b.charCodeAt(j)) outOfOrder++;
    j++;
  }
  return (matches / lengthA + matches / lengthB + (matches - (outOfOrder >> 1)) / matches) / 3;
}
