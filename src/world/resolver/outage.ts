/**
 * Distinguishes an outage of the DNS from names whose own servers are dead: several questions in a row without any
 * response, and then not even a response for the root, which no sender can choose. One event when it begins, one when
 * it ends.
 */
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import type { ServerAddress } from './servers.ts';

export interface OutageWatch {
  answered(): void;
  /**
   * `responded`: a server answered at least that it cannot help. `askedAt`: when the question began, on the monotonic
   * clock. Resolves once it is known whether this makes an outage.
   */
  failed(failed: Failed): Promise<void>;
  /** True from the event that reports it to the event that ends it. */
  isOn(): boolean;
}

export interface Failed {
  readonly servers: readonly ServerAddress[];
  readonly reason: string;
  readonly responded: boolean;
  readonly askedAt: number;
}

/** A recursive server may be silent over one dead domain, seldom over so many at once. */
const SILENT_QUESTIONS = 3;

/** `probe`: whether any server responds to a question that it can answer itself. */
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
    async failed({ servers, reason, responded, askedAt }) {
      if (responded) return answered();
      // Another question was answered meanwhile: names that time out, however many, are no outage.
      if (answeredAt > askedAt) return;
      silent += 1;
      if (silent < SILENT_QUESTIONS || beganAt !== undefined || isProbing) return;
      // An untrusted client may cause look-ups of three names that time out, on an otherwise idle node.
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
