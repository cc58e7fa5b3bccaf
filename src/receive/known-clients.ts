/** Clients that have delivered mail since the node started: they are greeted without a delay. Bounded, oldest out. */
import { KNOWN_CLIENTS } from './limits.ts';

export interface KnownClients {
  has(address: string): boolean;
  add(address: string): void;
}

export function createKnownClients(): KnownClients {
  const addresses = new Set<string>();
  return {
    has: (address) => addresses.has(address),
    add(address) {
      addresses.delete(address);
      addresses.add(address);
      if (addresses.size > KNOWN_CLIENTS) addresses.delete(addresses.values().next().value!);
    },
  };
}
