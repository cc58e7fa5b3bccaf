/**
 * Failed sign-ins by network: beyond a number in a window no credentials of that network are looked at
 * any more, so that guessing costs it time and us nothing. A site of IPv6 (/48) has 65,536 networks, and
 * so a count of its own: with a few of them it is shut as a whole, and fills no table with the others.
 * In memory; a ban that lasts is dynamic screening's business.
 */
import { networkOf, siteOf } from '../wire/network.ts';
import type { Clock } from '../world/clock.ts';
import { AUTH_FAILURE_WINDOW_MS, AUTH_NETWORKS, AUTH_SITE_NETWORKS } from './limits.ts';

export interface AuthGuard {
  failed(address: string): void;
  /** Too many failures lately. `mostFailures`: of one network. */
  isShut(address: string, mostFailures: number): boolean;
}

interface Count {
  readonly since: number;
  failures: number;
}

export function createAuthGuard(clock: Clock): AuthGuard {
  /** Networks, and sites of IPv6, in the order of their windows' beginnings. */
  const counts = new Map<string, Count>();

  const forgetOld = (): void => {
    const before = clock.monotonic() - AUTH_FAILURE_WINDOW_MS;
    for (const [name, { since }] of counts) {
      if (since > before && counts.size < AUTH_NETWORKS) return;
      counts.delete(name);
    }
  };

  const add = (name: string): void => {
    const count = counts.get(name);
    if (count) count.failures++;
    else counts.set(name, { since: clock.monotonic(), failures: 1 });
  };

  const has = (name: string, failures: number): boolean => {
    const count = counts.get(name);
    return (
      count !== undefined && count.failures >= failures && count.since > clock.monotonic() - AUTH_FAILURE_WINDOW_MS
    );
  };

  return {
    failed(address) {
      forgetOld();
      add(networkOf(address));
      if (address.includes(':')) add(siteOf(address));
    },
    isShut(address, mostFailures) {
      if (has(networkOf(address), mostFailures)) return true;
      return address.includes(':') && has(siteOf(address), mostFailures * AUTH_SITE_NETWORKS);
    },
  };
}
