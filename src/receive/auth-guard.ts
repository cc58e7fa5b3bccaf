/**
 * Failed sign-ins by network: beyond a number in a window no credentials of that network are looked at
 * any more, so that guessing costs it time and us nothing. In memory; a ban that lasts is dynamic
 * screening's business.
 */
import { networkOf } from '../wire/network.ts';
import type { Clock } from '../world/clock.ts';
import { AUTH_FAILURE_WINDOW_MS, AUTH_NETWORKS } from './limits.ts';

export interface AuthGuard {
  failed(address: string): void;
  /** Too many failures lately. */
  isShut(address: string, mostFailures: number): boolean;
}

interface Count {
  readonly since: number;
  failures: number;
}

export function createAuthGuard(clock: Clock): AuthGuard {
  /** In the order of their windows' beginnings. */
  const networks = new Map<string, Count>();

  const forgetOld = (): void => {
    const before = clock.monotonic() - AUTH_FAILURE_WINDOW_MS;
    for (const [network, { since }] of networks) {
      if (since > before && networks.size < AUTH_NETWORKS) return;
      networks.delete(network);
    }
  };

  return {
    failed(address) {
      forgetOld();
      const network = networkOf(address);
      const count = networks.get(network);
      if (count) count.failures++;
      else networks.set(network, { since: clock.monotonic(), failures: 1 });
    },
    isShut(address, mostFailures) {
      const count = networks.get(networkOf(address));
      if (!count || count.failures < mostFailures) return false;
      return count.since > clock.monotonic() - AUTH_FAILURE_WINDOW_MS;
    },
  };
}
