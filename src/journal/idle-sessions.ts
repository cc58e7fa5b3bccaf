/**
 * Bounds the rows of sessions that brought no message: so many a network and window, then a count.
 *
 * A scanner that connects a thousand times a second must not fill the log. A network is an IPv4
 * address's /24 or an IPv6 address's /64; past a number of networks all others share one count.
 */
import { isIPv6 } from 'node:net';
import { IDLE_SESSION_NETWORKS, IDLE_SESSION_ROWS } from './limits.ts';

export interface IdleSessions {
  /** True: write the row. False: it was counted. */
  admit(clientAddress: string): boolean;
  /** Ends the window: what was only counted, by network. */
  endWindow(nowMs: number): readonly CountedSessions[];
}

export interface CountedSessions {
  readonly network: string;
  readonly since: number;
  readonly until: number;
  readonly count: number;
}

export function createIdleSessions(startMs: number): IdleSessions {
  const seen = new Map<string, number>();
  let since = startMs;
  return {
    admit(clientAddress) {
      const network = networkOf(clientAddress);
      const key = seen.has(network) || seen.size < IDLE_SESSION_NETWORKS ? network : OTHERS;
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      return count <= IDLE_SESSION_ROWS;
    },
    endWindow(nowMs) {
      const counted: CountedSessions[] = [];
      for (const [network, sessions] of seen) {
        if (sessions > IDLE_SESSION_ROWS)
          counted.push({ network, since, until: nowMs, count: sessions - IDLE_SESSION_ROWS });
      }
      seen.clear();
      since = nowMs;
      return counted;
    },
  };
}

const OTHERS = 'other networks';

export function networkOf(address: string): string {
  if (!isIPv6(address)) return `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
  return `${expandedPrefix(address)}::/64`;
}

/** The first four groups of an IPv6 address, without leading zeros. */
function expandedPrefix(address: string): string {
  const [head = '', tail] = address.split('%')[0]!.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    while (groups.length + behind < 8) groups.push('0');
    groups.push(...(tail === '' ? [] : tail.split(':')));
  }
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
