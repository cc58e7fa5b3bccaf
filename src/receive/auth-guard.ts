/**
 * Failed sign-ins by network: beyond a number in a window no credentials of that network are checked, so that
 * guessing costs the attacker time and us nothing. A site of IPv6 (/48) has 65,536 networks, and so a count of its
 * own: after a few of its networks the whole site is shut, and does not fill the table with the others. In memory;
 * dynamic screening handles lasting bans.
 */
import { networkOf, siteOf } from '../wire/network.ts';
import type { Clock } from '../world/clock.ts';
import { AUTH_FAILURE_WINDOW_MS, AUTH_NETWORKS, AUTH_SITE_NETWORKS } from './limits.ts';

export interface AuthGuard {
  failed(address: string): void;
  /** Too many recent failures. `mostFailures`: of one network. */
  isShut(address: string, mostFailures: number): boolean;
}

interface Count {
  readonly since: number;
  failures: number;
}

export function createAuthGuard(clock: Clock): AuthGuard {
  /** Networks, and sites of IPv6, in the order in which their windows began. */
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
