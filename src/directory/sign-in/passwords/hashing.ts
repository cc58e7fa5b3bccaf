/**
 * Slow hashes, in threads of their own: at most two at once, never on the event loop, and never in the
 * pool that fsync needs. Threads start when there is work and end when there was none for a while.
 *
 * Sign-ins that would wait behind too many others are refused at once (`busy`), so that a flood costs
 * neither memory nor the next hour. While somebody guesses (guessing.ts), whoever is known goes first,
 * and strangers are looked at one at a time with rests between, since what guesses cost the processors
 * is taken from mail. Strangers take turns by their site, and where their line is full, who has most in
 * it makes room for others. Errors: OperationalError `directory.busy`.
 */
import { Worker } from 'node:worker_threads';
import { OperationalError } from '../../../model/errors.ts';
import { createFairLine, type FairLine } from '../../../wire/fair-line.ts';
import type { Clock, TimerHandle } from '../../../world/clock.ts';
import type { Events } from '../../../world/events.ts';
import { ARGON2, HASHING, type PasswordCost } from '../../limits.ts';
import { createGuessing } from '../guessing.ts';
import type { HashAnswer, HashJob } from './hash-jobs.ts';

/** `stranger`: a client that never signed in from where it is. */
export type Asker = 'known' | 'stranger';

export interface Hashing {
  /** Of new passwords, and of the work done for unknown names. */
  readonly cost: PasswordCost;
  /** `asker`: default `known`, as an administrator is. `site`: of a stranger (wire/network.ts). Errors: `directory.busy`. */
  run(job: HashJob, asker?: Asker, site?: string): Promise<Uint8Array>;
  /** What came of a stranger's password. */
  checked(isRight: boolean): void;
  /** Somebody guesses: strangers wait in line, whoever knows their passwords. */
  isGuessed(): boolean;
  /** Ends the threads; what is under way is refused. */
  close(): Promise<void>;
}

export interface HashingOptions {
  readonly cost?: PasswordCost;
  /** Absent: nobody is told that somebody guesses. */
  readonly events?: Events;
}

interface Pending {
  readonly job: HashJob;
  readonly asker: Asker;
  readonly number: number;
  readonly resolve: (octets: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  current: Pending | undefined;
  startedAt: number;
}

export function createHashing(clock: Clock, { cost = ARGON2, events }: HashingOptions = {}): Hashing {
  const threads = new Set<Thread>();
  const waiting: Readonly<Record<Asker, FairLine<Pending>>> = { known: createFairLine(), stranger: createFairLine() };
  const guessing = createGuessing(clock, events);
  let closed = false;
  let number = 0;
  let restUntil = Number.NEGATIVE_INFINITY;
  let rest: TimerHandle | undefined;
  let retirement: TimerHandle | undefined;

  const end = (thread: Thread, error: Error): void => {
    threads.delete(thread);
    thread.current?.reject(error);
    thread.current = undefined;
  };

  const done = (thread: Thread, answer: HashAnswer): void => {
    const { current, worker } = thread;
    thread.current = undefined;
    worker.unref();
    if (current?.asker === 'stranger') {
      const now = clock.monotonic();
      restUntil = now + Math.min(HASHING.restTimes * (now - thread.startedAt), HASHING.restMostMs);
    }
    if ('octets' in answer) current?.resolve(answer.octets);
    else current?.reject(new Error(answer.error));
    // Behind what its asker makes of it: whether it was a guess counts for the next.
    setImmediate(advance);
  };

  const start = (): Thread => {
    const worker = new Worker(new URL('./hashing-thread.ts', import.meta.url));
    const thread: Thread = { worker, current: undefined, startedAt: 0 };
    worker.on('message', (answer: HashAnswer) => done(thread, answer));
    worker.on('error', (error: Error) => end(thread, error));
    worker.on('exit', () => {
      end(thread, new Error('the hashing thread ended'));
      if (!closed) advance();
    });
    worker.unref();
    threads.add(thread);
    return thread;
  };

  const working = (): Pending[] => Array.from(threads, ({ current }) => current).filter((job) => job !== undefined);

  const retire = (): void => {
    for (const thread of threads) if (!thread.current) void thread.worker.terminate();
  };

  function next(): Pending | undefined {
    const { known, stranger } = waiting;
    const busy = working();
    if (busy.length >= HASHING.threads) return undefined;
    if (!guessing.isOn()) {
      const isStrangerOlder = (stranger.peek()?.number ?? Number.POSITIVE_INFINITY) < (known.peek()?.number ?? 0);
      return known.length > 0 && !isStrangerOlder ? known.next() : stranger.next();
    }
    if (known.length > 0) return known.next();
    if (stranger.length === 0 || busy.some(({ asker }) => asker === 'stranger')) return undefined;
    const restMs = restUntil - clock.monotonic();
    if (restMs <= 0) return stranger.next();
    rest ??= clock.after(restMs, () => {
      rest = undefined;
      advance();
    });
    return undefined;
  }

  function advance(): void {
    if (closed) return;
    for (let pending = next(); pending; pending = next()) {
      const thread = threads.values().find(({ current }) => !current) ?? start();
      thread.current = pending;
      thread.startedAt = clock.monotonic();
      // A process that only waits for a hash must not end before it.
      thread.worker.ref();
      thread.worker.postMessage(pending.job);
    }
    retirement?.cancel();
    retirement = clock.after(HASHING.idleMs, retire);
  }

  return {
    cost,
    run(job, asker = 'known', site = '') {
      const most = asker === 'stranger' && guessing.isOn() ? HASHING.strangersWaiting : HASHING.waiting;
      if (closed) return Promise.reject(busy(most));
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      waiting[asker].add(site, { job, asker, number: number++, resolve, reject }, most)?.reject(busy(most));
      advance();
      return promise;
    },
    checked: guessing.checked,
    isGuessed: guessing.isOn,
    async close() {
      closed = true;
      retirement?.cancel();
      rest?.cancel();
      guessing.stop();
      for (const line of Object.values(waiting)) for (const { reject } of line.clear()) reject(busy(HASHING.waiting));
      await Promise.all(Array.from(threads, ({ worker }) => worker.terminate()));
    },
  };
}

function busy(most: number): OperationalError {
  return new OperationalError(
    'directory.busy',
    `cannot check a password now, as fewer than ${most} must be waiting for it`,
  );
}
