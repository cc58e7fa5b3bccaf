/**
 * Recent facts about hosts that change how they are connected to: unreachable (5 minutes), failing in TLS (an hour in
 * clear), a faulty extension (an hour without it).
 */
import type { Suspicion } from '../wire/client/types.ts';
import type { Clock } from '../world/clock.ts';
import { createExpiring, type Expiring } from './expiring.ts';
import { DELIVERY_LIMITS } from './limits.ts';

export interface Peers {
  /** The reason of the last connection failure, by endpoint. */
  readonly unreachable: Expiring<string>;
  /** The reason of the last failed handshake. */
  readonly inClear: Expiring<string>;
  without(endpoint: string): readonly Suspicion[];
  distrust(endpoint: string, suspicion: Suspicion): void;
}

export function createPeers(clock: Clock): Peers {
  const distrusted = createExpiring<readonly Suspicion[]>(clock, DELIVERY_LIMITS.peers);
  return {
    unreachable: createExpiring(clock, DELIVERY_LIMITS.peers),
    inClear: createExpiring(clock, DELIVERY_LIMITS.peers),
    without: (endpoint) => distrusted.get(endpoint) ?? NOTHING,
    distrust(endpoint, suspicion) {
      const all = new Set(distrusted.get(endpoint)).add(suspicion);
      distrusted.set(endpoint, [...all], DELIVERY_LIMITS.distrustMs);
    },
  };
}

const NOTHING: readonly Suspicion[] = [];
