/**
 * A table of networks with a value each: finds the narrowest one that holds an address, in a fraction of a
 * microsecond, however many networks there are.
 */
import { readWords, words } from './address-words.ts';
import { type Network, parseNetworks } from './network.ts';
import { createSegments, type Range, type Segments } from './segments.ts';

export interface NetworkTable<T> {
  readonly size: number;
  /** The last value added for the same network counts. */
  add(network: Network, value: T): void;
  /** `address`: in the form of sockets. */
  find(address: string): T | undefined;
}

/** Built at the first look-up after the last addition. */
export function createNetworkTable<T>(): NetworkTable<T> {
  const ranges: { readonly 1: Range<T>[]; readonly 4: Range<T>[] } = { 1: [], 4: [] };
  let segments: { 1?: Segments<T>; 4?: Segments<T> } = {};
  return {
    get size() {
      return ranges[1].length + ranges[4].length;
    },
    add({ bits, prefix, key }, value) {
      const rest = BigInt(bits - prefix);
      const first = key << rest;
      ranges[bits === 32 ? 1 : 4].push({ first, last: first + (1n << rest) - 1n, value });
      segments = {};
    },
    find(address) {
      const width = address.includes(':') ? 4 : 1;
      if (ranges[width].length === 0 || readWords(address) !== width) return undefined;
      segments[width] ??= createSegments(ranges[width], width);
      return segments[width].find(words);
    },
  };
}

/** Text that is no network is left out: the caller reports errors. */
export function networksOf(texts: readonly string[]): NetworkTable<true> {
  const table = createNetworkTable<true>();
  for (const text of texts) for (const network of parseNetworks(text) ?? []) table.add(network, true);
  return table;
}
