/**
 * Slow hashes, in threads of their own: at most two at once, never on the event loop, and never in the
 * pool that fsync needs. Threads start when there is work and end when there was none for a while.
 *
 * Sign-ins that would wait behind too many others are refused at once (`busy`), so that a flood costs
 * neither memory nor the next hour; and while one password after the other is wrong, only one is
 * looked at at a time, since what guesses cost the processors is taken from mail. Errors: OperationalError `directory.busy`.
 */
import { Worker } from 'node:worker_threads';
import { OperationalError } from '../model/errors.ts';
import type { Clock, TimerHandle } from '../world/clock.ts';
import type { HashAnswer, HashJob } from './hash-jobs.ts';
import { ARGON2, HASHING, type PasswordCost } from './limits.ts';

export interface Hashing {
  /** Of new passwords, and of the work done for unknown names. */
  readonly cost: PasswordCost;
  /** Errors: `directory.busy`. */
  run(job: HashJob): Promise<Uint8Array>;
  /** Whether a password that was checked was right: while somebody guesses, mail goes first. */
  checked(isRight: boolean): void;
  /** Ends the threads; what is under way is refused. */
  close(): Promise<void>;
}

interface Pending {
  readonly job: HashJob;
  readonly resolve: (octets: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  current: Pending | undefined;
}

export function createHashing(clock: Clock, cost: PasswordCost = ARGON2): Hashing {
  const threads = new Set<Thread>();
  const waiting: Pending[] = [];
  let closed = false;
  let wrongInARow = 0;
  let retirement: TimerHandle | undefined;

  const end = (thread: Thread, error: Error): void => {
    threads.delete(thread);
    thread.current?.reject(error);
    thread.current = undefined;
  };

  const start = (): Thread => {
    const worker = new Worker(new URL('./password-thread.ts', import.meta.url));
    const thread: Thread = { worker, current: undefined };
    worker.on('message', (answer: HashAnswer) => {
      const done = thread.current;
      thread.current = undefined;
      worker.unref();
      if ('octets' in answer) done?.resolve(answer.octets);
      else done?.reject(new Error(answer.error));
      advance();
    });
    worker.on('error', (error: Error) => end(thread, error));
    worker.on('exit', () => {
      end(thread, new Error('the hashing thread ended'));
      if (!closed) advance();
    });
    worker.unref();
    threads.add(thread);
    return thread;
  };

  const working = (): number => {
    let count = 0;
    for (const { current } of threads) if (current) count++;
    return count;
  };

  const retire = (): void => {
    for (const thread of threads) if (!thread.current) void thread.worker.terminate();
  };

  function advance(): void {
    const atOnce = wrongInARow < HASHING.wrongInARow ? HASHING.threads : 1;
    while (waiting.length > 0) {
      if (working() >= atOnce) return;
      const idle = threads.values().find(({ current }) => !current);
      const thread = idle ?? start();
      thread.current = waiting.shift()!;
      // A process that only waits for a hash must not end before it.
      thread.worker.ref();
      thread.worker.postMessage(thread.current.job);
    }
    retirement?.cancel();
    retirement = clock.after(HASHING.idleMs, retire);
  }

  return {
    cost,
    run(job) {
      if (closed || waiting.length >= HASHING.waiting) return Promise.reject(busy());
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      waiting.push({ job, resolve, reject });
      advance();
      return promise;
    },
    checked(isRight) {
      wrongInARow = isRight ? 0 : wrongInARow + 1;
    },
    async close() {
      closed = true;
      retirement?.cancel();
      for (const { reject } of waiting.splice(0)) reject(busy());
      await Promise.all(Array.from(threads, ({ worker }) => worker.terminate()));
    },
  };
}

function busy(): OperationalError {
  return new OperationalError(
    'directory.busy',
    `cannot check a password now, as fewer than ${HASHING.waiting} must be waiting for it`,
  );
}
