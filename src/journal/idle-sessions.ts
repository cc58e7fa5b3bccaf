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
  /** One that `admit` let pass was only counted all the same. */
  alsoCount(clientAddress: string): void;
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
  const seen = new Map<string, { sessions: number; rows: number }>();
  let since = startMs;
  const of = (clientAddress: string): { sessions: number; rows: number } => {
    const network = networkOf(clientAddress);
    const key = seen.has(network) || seen.size < IDLE_SESSION_NETWORKS ? network : OTHERS;
    let found = seen.get(key);
    if (!found) {
      found = { sessions: 0, rows: 0 };
      seen.set(key, found);
    }
    return found;
  };
  return {
    admit(clientAddress) {
      const found = of(clientAddress);
      found.sessions++;
      if (found.rows >= IDLE_SESSION_ROWS) return false;
      found.rows++;
      return true;
    },
    alsoCount(clientAddress) {
      of(clientAddress).rows--;
    },
    endWindow(nowMs) {
      const counted: CountedSessions[] = [];
      for (const [network, { sessions, rows }] of seen) {
        if (sessions > rows) counted.push({ network, since, until: nowMs, count: sessions - rows });
      }
      seen.clear();
      since = nowMs;
      return counted;
    },
  };
}

const OTHERS = 'other networks';
