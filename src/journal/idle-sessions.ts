/**
 * Bounds the rows of sessions that brought no message: so many a network and window, then a count.
 *
 * A scanner that connects a thousand times a second must not fill the log. Networks are
 * those that limits count (wire/network.ts); past a number of them all others share one count.
 */
import { networkOf } from '../wire/network.ts';
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
