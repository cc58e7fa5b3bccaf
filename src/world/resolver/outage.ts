/**
 * Tells an outage of the DNS from names whose own servers are dead: several questions in a row that
 * nobody answered at all, and then not even one for the root, which no sender chooses. One event when
 * it begins, one when it ends.
 */
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ServerAddress } from './servers.ts';

export interface OutageWatch {
  answered(): void;
  /**
   * `heard`: a server said at least that it cannot help. `askedAt`: when the question began, on the
   * monotonic clock. Resolves once it is known whether this makes an outage.
   */
  failed(failed: Failed): Promise<void>;
  /** Since the event that says so. */
  isOn(): boolean;
}

export interface Failed {
  readonly servers: readonly ServerAddress[];
  readonly reason: string;
  readonly heard: boolean;
  readonly askedAt: number;
}

/** A recursive server may be silent over one dead domain, seldom over so many at once. */
const SILENT_QUESTIONS = 3;

/** `probe`: whether any server says anything, asked for what they can answer themselves. */
export function createOutageWatch(clock: Clock, events: Events, probe: () => Promise<boolean>): OutageWatch {
  let silent = 0;
  let isProbing = false;
  let beganAt: number | undefined;
  let answeredAt = Number.NEGATIVE_INFINITY;
  const answered = (): void => {
    silent = 0;
    answeredAt = clock.monotonic();
    if (beganAt === undefined) return;
    events.emit('dns.recovered', { afterMs: Math.round(clock.monotonic() - beganAt) });
    beganAt = undefined;
  };
  return {
    answered,
    isOn: () => beganAt !== undefined,
    async failed({ servers, reason, heard, askedAt }) {
      if (heard) return answered();
      // While it waited another question was answered: names that hang, however many, are no outage.
      if (answeredAt > askedAt) return;
      silent += 1;
      if (silent < SILENT_QUESTIONS || beganAt !== undefined || isProbing) return;
      // A stranger may have three names that hang asked for, on a node that is idle otherwise.
      isProbing = true;
      const isHeard = await probe().finally(() => {
        isProbing = false;
      });
      if (isHeard) return answered();
      if (answeredAt > askedAt) return;
      beganAt = clock.monotonic();
      events.emit('dns.outage', { servers: servers.map(({ address, port }) => `${address} port ${port}`), reason });
    },
  };
}
