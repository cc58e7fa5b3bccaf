/**
 * Networks cut into segments of addresses that have the same value, in order: a binary search then finds the
 * narrowest network of an address, without allocating, however deep networks are nested.
 */

export interface Range<T> {
  /** First and last address. */
  readonly first: bigint;
  readonly last: bigint;
  readonly value: T;
}

export interface Segments<T> {
  /** `address`: as many words as `width`. */
  find(address: Uint32Array): T | undefined;
}

/** `ranges` are networks: disjoint, or one within the other; of two equal ones the later counts. `width`: words an address. */
export function createSegments<T>(ranges: readonly Range<T>[], width: 1 | 4): Segments<T> {
  const { starts, values } = cut(ranges, 1n << BigInt(32 * width));
  const words = new Uint32Array(starts.length * width);
  for (const [i, start] of starts.entries())
    for (let word = 0; word < width; word++)
      words[i * width + word] = Number((start >> BigInt(32 * (width - 1 - word))) & 0xffffffffn);
  return {
    find(address) {
      let low = 0;
      let high = starts.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (isAtMost(words, middle * width, address, width)) low = middle + 1;
        else high = middle;
      }
      return low === 0 ? undefined : values[low - 1];
    },
  };
}

function isAtMost(words: Uint32Array, at: number, address: Uint32Array, width: number): boolean {
  for (let word = 0; word < width; word++) {
    const difference = words[at + word]! - address[word]!;
    if (difference !== 0) return difference < 0;
  }
  return true;
}

/** Where each segment starts, and its value; a segment ends where the next one starts. */
function cut<T>(
  ranges: readonly Range<T>[],
  end: bigint,
): { readonly starts: bigint[]; readonly values: (T | undefined)[] } {
  const starts: bigint[] = [];
  const values: (T | undefined)[] = [];
  const begin = (start: bigint, value: T | undefined): void => {
    if (start === end) return;
    const isSame = starts.at(-1) === start;
    starts[isSame ? starts.length - 1 : starts.length] = start;
    values[starts.length - 1] = value;
  };
  const around: Range<T>[] = [];
  const leaveUntil = (address: bigint | undefined): void => {
    for (let inner = around.at(-1); inner && (address === undefined || inner.last < address); inner = around.at(-1)) {
      around.pop();
      begin(inner.last + 1n, around.at(-1)?.value);
    }
  };
  // Sorting is stable: equal ranges stay in order.
  for (const range of [...ranges].sort(byStart)) {
    leaveUntil(range.first);
    begin(range.first, range.value);
    around.push(range);
  }
  leaveUntil(undefined);
  return { starts, values };
}

/** The wider first. */
function byStart<T>(a: Range<T>, b: Range<T>): number {
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.last === b.last ? 0 : a.last > b.last ? -1 : 1;
}
