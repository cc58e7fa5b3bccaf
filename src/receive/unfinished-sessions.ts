/**
 * Sessions that ended before MAIL: a row each up to a bound per network and minute, then counted and reported in one
 * event. A scan of the port must not fill the log.
 */
import type { SessionRecord } from '../journal/contract.ts';
import { networkOf } from '../wire/network.ts';
import { UNFINISHED_NETWORKS, UNFINISHED_SESSIONS_PER_NETWORK, UNFINISHED_WINDOW_MS } from './limits.ts';
import type { ReceiveServices } from './services.ts';

export interface UnfinishedSessions {
  record(record: SessionRecord): void;
  /** Reports the sessions that were only counted. */
  flush(): void;
}

export function createUnfinishedSessions({
  journal,
  events,
}: Pick<ReceiveServices, 'journal' | 'events'>): UnfinishedSessions {
  const networks = new Map<string, number>();
  let windowEndsAt = 0;
  let unrecorded = 0;

  const flush = (): void => {
    if (unrecorded > 0) events.emit('receive.sessions-unrecorded', { sessions: unrecorded, networks: networks.size });
    networks.clear();
    unrecorded = 0;
  };

  return {
    flush,
    record(record) {
      if (record.endedAt >= windowEndsAt) {
        flush();
        windowEndsAt = record.endedAt + UNFINISHED_WINDOW_MS;
      }
      const network = networkOf(record.facts.client.address);
      const before =
        networks.get(network) ?? (networks.size < UNFINISHED_NETWORKS ? 0 : UNFINISHED_SESSIONS_PER_NETWORK);
      if (before >= UNFINISHED_SESSIONS_PER_NETWORK) {
        unrecorded++;
        return;
      }
      networks.set(network, before + 1);
      journal.session(record);
    },
  };
}
