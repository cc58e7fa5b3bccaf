/** Clients that have delivered mail since the node started: they are greeted without a pause. Bounded, oldest out. */
import { ACQUAINTANCES } from './limits.ts';

export interface Acquaintances {
  has(address: string): boolean;
  add(address: string): void;
}

export function createAcquaintances(): Acquaintances {
  const addresses = new Set<string>();
  return {
    has: (address) => addresses.has(address),
    add(address) {
      addresses.delete(address);
      addresses.add(address);
      if (addresses.size > ACQUAINTANCES) addresses.delete(addresses.values().next().value!);
    },
  };
}
