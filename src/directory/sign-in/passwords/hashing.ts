/**
 * Slow hashes, in threads of their own: at most two at once, never on the event loop, and never in the pool that
 * fsync needs. Threads start when there is work and end after a while without any.
 *
 * Sign-ins that would wait behind too many others are refused at once (`busy`), so that a flood costs neither memory
 * nor the next hour. During password guessing (guessing.ts), known clients go first, and unknown ones are served one
 * at a time with pauses between, since guesses take processor time from mail. Unknown clients take turns by their
 * site, and if their line is full, the site with most in it makes room for others. Errors: OperationalError
 * `directory.busy`.
 */
import { OperationalError } from '../../../model/errors.ts';
import { createFairLine, type FairLine } from '../../../wire/fair-line.ts';
import type { Clock, TimerHandle } from '../../../world/clock.ts';
import type { Events } from '../../../world/events.ts';
import { createWorkerClient } from '../../../world/workers/client.ts';
import type { WorkerFailure } from '../../../world/workers/failure.ts';
import type { Line, Ticket } from '../../../world/workers/line.ts';
import { ARGON2, HASHING, type PasswordCost } from '../../limits.ts';
import { createGuessing, type Guessing } from '../guessing.ts';
import type { HashJob } from './hash-jobs.ts';

/** `unknown`: a client that never signed in from its network. */
export type Asker = 'known' | 'unknown';

export interface Hashing {
  /** For new passwords, and for the work done for unknown names. */
  readonly cost: PasswordCost;
  /**
   * `asker`: default `known`, as an administrator is. `site`: of an unknown client (wire/network.ts). Errors:
   * `directory.busy`.
   */
  run(job: HashJob, asker?: Asker, site?: string): Promise<Uint8Array>;
  /** The result for a password of an unknown client. */
  checked(isRight: boolean): void;
  /** Passwords are being guessed: unknown clients wait in line, whichever source checks their passwords. */
  isGuessed(): boolean;
  /** Ends the threads; jobs under way are refused. */
  close(): Promise<void>;
}

export interface HashingOptions {
  readonly cost?: PasswordCost;
  /** Absent: no event reports password guessing. */
  readonly events?: Events;
}

interface HashAsker {
  readonly asker: Asker;
  readonly site: string;
}

export function createHashing(clock: Clock, { cost = ARGON2, events }: HashingOptions = {}): Hashing {
  const guessing = createGuessing(clock, events);
  const line = createHashingLine(clock, guessing, () => client.advance());
  const client = createWorkerClient<HashJob, Uint8Array, HashAsker>({
    clock,
    source: { module: new URL('./hashing-thread.ts', import.meta.url), name: 'hashing' },
    line,
    threads: HASHING.threads,
    idleMs: HASHING.idleMs,
    failed,
  });
  return {
    cost,
    run(job, asker = 'known', site = '') {
      return client.run(
        async (ask) => {
          const since = clock.monotonic();
          try {
            return await ask(job);
          } finally {
            if (asker === 'unknown') line.rest(clock.monotonic() - since);
          }
        },
        { asker, site },
      );
    },
    checked: guessing.checked,
    isGuessed: guessing.isOn,
    async close() {
      line.stop();
      guessing.stop();
      await client.close();
    },
  };
}

interface HashingLine extends Line<HashAsker> {
  /** A password of an unknown client took so long; the next unknown client waits for a multiple of it. */
  rest(tookMs: number): void;
  stop(): void;
}

type HashTicket = Ticket<HashAsker>;

/** `advance`: called when a pause is over. */
function createHashingLine(clock: Clock, guessing: Guessing, advance: () => void): HashingLine {
  const waiting: Readonly<Record<Asker, FairLine<Numbered>>> = { known: createFairLine(), unknown: createFairLine() };
  let number = 0;
  let restUntil = Number.NEGATIVE_INFINITY;
  let resting: TimerHandle | undefined;

  const byAge = ({ known, unknown }: typeof waiting): Numbered | undefined => {
    const isUnknownOlder = (unknown.peek()?.number ?? Number.POSITIVE_INFINITY) < (known.peek()?.number ?? 0);
    return known.length > 0 && !isUnknownOlder ? known.next() : unknown.next();
  };

  const unknownAfterRest = (): Numbered | undefined => {
    const restMs = restUntil - clock.monotonic();
    if (restMs <= 0) return waiting.unknown.next();
    resting ??= clock.after(restMs, () => {
      resting = undefined;
      advance();
    });
    return undefined;
  };

  const whileGuessed = (served: ReadonlySet<HashTicket>): Numbered | undefined => {
    if (waiting.known.length > 0) return waiting.known.next();
    const isUnknownServed = served.values().some(({ asker }) => asker.asker === 'unknown');
    return waiting.unknown.length === 0 || isUnknownServed ? undefined : unknownAfterRest();
  };

  return {
    add(ticket) {
      const { asker, site } = ticket.asker;
      const most = asker === 'unknown' && guessing.isOn() ? HASHING.unknownWaiting : HASHING.waiting;
      const left = waiting[asker].add(site, { ticket, number: number++ }, most);
      return left && { ticket: left.ticket, most };
    },
    next: (served) => (guessing.isOn() ? whileGuessed(served) : byAge(waiting))?.ticket,
    clear: () => Object.values(waiting).flatMap((line) => line.clear().map(({ ticket }) => ticket)),
    rest(tookMs) {
      restUntil = clock.monotonic() + Math.min(HASHING.restTimes * tookMs, HASHING.restMostMs);
    },
    stop: () => resting?.cancel(),
  };
}

interface Numbered {
  readonly ticket: HashTicket;
  readonly number: number;
}

function failed(failure: WorkerFailure): Error {
  switch (failure.kind) {
    case 'busy':
      return busy(failure.most);
    case 'closed':
      return busy(HASHING.waiting);
    case 'late':
      return new Error(`a hash took more than ${failure.deadlineMs} ms`);
    case 'died':
      return failure.cause instanceof Error ? failure.cause : new Error(String(failure.cause));
  }
}

function busy(most: number): OperationalError {
  return new OperationalError(
    'directory.busy',
    `cannot check a password now, as fewer than ${most} must be waiting for it`,
  );
}
