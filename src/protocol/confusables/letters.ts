/**
 * The letters of a text as a set of bits: two sets show quickly that two texts cannot be alike. Different characters
 * may share a bit, which only lets more pairs through.
 */
export function letterSet(text: string): number {
  let set = 0;
  for (let i = 0; i < text.length; i++) set |= 1 << (text.charCodeAt(i) & 31);
  return set;
}

/** The letters that occur at least twice. */
export function repeatedLetters(text: string): number {
  let once = 0;
  let twice = 0;
  for (let i = 0; i < text.length; i++) {
    const bit = 1 << (text.charCodeAt(i) & 31);
    twice |= once & bit;
    once |= bit;
  }
  return twice;
}

export function bitCount(set: number): number {
  let n = set - ((set >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
