/**
 * Tells an outage of the DNS from a name whose own servers are dead: several questions in a row
 * that nobody answered at all. One event when it begins, one when it ends.
 */
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ServerAddress } from './servers.ts';

export interface OutageWatch {
  answered(): void;
  /** `heard`: a server said at least that it cannot help. */
  failed(servers: readonly ServerAddress[], reason: string, heard: boolean): void;
  /** Since the event that says so. */
  isOn(): boolean;
}

/** A recursive server may be silent over one dead domain, seldom over so many at once. */
const SILENT_QUESTIONS = 3;

export function createOutageWatch(clock: Clock, events: Events): OutageWatch {
  let silent = 0;
  let beganAt: number | undefined;
  const answered = (): void => {
    silent = 0;
    if (beganAt === undefined) return;
    events.emit('dns.recovered', { afterMs: Math.round(clock.monotonic() - beganAt) });
    beganAt = undefined;
  };
  return {
    answered,
    isOn: () => beganAt !== undefined,
    failed(servers, reason, heard) {
      if (heard) return answered();
      silent += 1;
      if (silent < SILENT_QUESTIONS || beganAt !== undefined) return;
      beganAt = clock.monotonic();
      events.emit('dns.outage', { servers: servers.map(({ address, port }) => `${address} port ${port}`), reason });
    },
  };
}
