/**
 * Work in threads, for callers that must not block the event loop: a bounded line, threads that start at the first
 * question and retire when idle, and a deadline for each answer, which ends a late thread.
 *
 * Promises: every `run` ends: with its result, its own error, or the error that `failed` makes of a WorkerFailure. A
 * thread that ends fails all jobs that it had, and the next job starts another one. The process waits for a thread
 * only while it has a job.
 */
import type { Transferable } from 'node:worker_threads';
import { invariant, OperationalError } from '../../model/errors.ts';
import type { Clock, TimerHandle } from '../clock.ts';
import type { FromThread } from './answer.ts';
import { type WorkerFailure, workerError } from './failure.ts';
import type { Line, Ticket } from './line.ts';
import { createPlaces, type Place } from './places.ts';
import type { ThreadSource } from './thread.ts';

/** Asks the job's thread, one question at a time; all questions of a job go to the same thread. */
export type Ask<Question, Answer> = (question: Question, transfer?: readonly Transferable[]) => Promise<Answer>;

export interface WorkerClient<Question, Answer, Asker = void> {
  /**
   * Calls `work` when its turn comes. After `signal` fired, its thread ended or `close` was called, the result is
   * that failure, whatever `work` does, and further questions fail.
   */
  run<T>(work: (ask: Ask<Question, Answer>) => Promise<T>, asker: Asker, signal?: AbortSignal): Promise<T>;
  /** Checks the line again; needed only if its order depends on more than the jobs that are served. */
  advance(): void;
  /** Ends the threads. Jobs that wait or are under way fail with `closed`. */
  close(): Promise<void>;
}

export interface WorkerClientOptions<Asker> {
  readonly clock: Clock;
  readonly source: ThreadSource;
  readonly line: Line<Asker>;
  /** A thread without a job ends after so long. */
  readonly idleMs: number;
  /** For one answer. Absent: the questions are bounded otherwise. */
  readonly deadlineMs?: number;
  /** Threads at once; default 1. */
  readonly threads?: number;
  /** Jobs of one thread at once; default 1. */
  readonly jobsPerThread?: number;
  /** Default: `workerError`. */
  readonly failed?: (failure: WorkerFailure) => Error;
}

interface Job<Asker> extends Ticket<Asker> {
  readonly number: number;
  /** Calls the work. */
  begin(): void;
  /** Its asker receives this error, and so does every question from now on. */
  fail(error: unknown): void;
  /** Absent until its first question. */
  place?: Place<Job<Asker>>;
  asked?: PromiseWithResolvers<unknown>;
  deadline?: TimerHandle;
  /** The error that ended it early. */
  ended?: { readonly error: unknown };
  /** Its work has returned. */
  isOver: boolean;
}

export function createWorkerClient<Question, Answer, Asker = void>(
  options: WorkerClientOptions<Asker>,
): WorkerClient<Question, Answer, Asker> {
  const { clock, line, deadlineMs, threads = 1, jobsPerThread = 1, failed = workerError } = options;
  const served = new Set<Job<Asker>>();
  let closed = false;
  let last = 0;

  const places = createPlaces<Job<Asker>>({
    ...options,
    jobsPerThread,
    onReply(job, reply) {
      job.deadline?.cancel();
      const { asked } = job;
      delete job.asked;
      if (asked) deliver(asked, reply);
      settle(job);
    },
    onDied: (place, cause) => failAll(place, () => failed({ kind: 'died', cause })),
  });

  function failAll(place: Place<Job<Asker>>, errorOf: (job: Job<Asker>) => Error): void {
    for (const job of place.jobs.values()) {
      job.fail(errorOf(job));
      settle(job);
    }
  }

  const expire = (job: Job<Asker>, lateMs: number): void => {
    const { place } = job;
    if (!place || !places.isAlive(place)) return;
    void places.end(place);
    const late = failed({ kind: 'late', deadlineMs: lateMs });
    failAll(place, (one) => (one === job ? late : failed({ kind: 'died', cause: late })));
  };

  /**
   * A job leaves when its work has returned and its thread owes it no answer: an aborted job occupies the thread that
   * long.
   */
  function settle(job: Job<Asker>): void {
    const { place } = job;
    const isOwed = job.asked !== undefined && place !== undefined && places.isAlive(place);
    if (!job.isOver || isOwed || !served.delete(job)) return;
    job.deadline?.cancel();
    if (place) places.leave(place, job.number);
    // After the asker has used the answer, which may change the order of the line.
    setImmediate(advance);
  }

  const ask = async (job: Job<Asker>, question: Question, transfer?: readonly Transferable[]): Promise<Answer> => {
    if (job.ended) throw job.ended.error;
    invariant(!job.asked, 'a job asks one question at a time');
    job.place ??= places.take(job.number, job);
    places.ask(job.place, job.number, question, transfer);
    if (deadlineMs !== undefined) job.deadline = clock.after(deadlineMs, () => expire(job, deadlineMs));
    job.asked = Promise.withResolvers<unknown>();
    return (await job.asked.promise) as Answer;
  };

  function advance(): void {
    while (!closed && served.size < threads * jobsPerThread) {
      const job = line.next(served) as Job<Asker> | undefined;
      if (!job) return;
      // It was aborted while it waited.
      if (job.ended) continue;
      served.add(job);
      job.begin();
    }
  }

  return {
    run(work, asker, signal) {
      if (closed) return Promise.reject(failed({ kind: 'closed' }));
      if (signal?.aborted) return Promise.reject(signal.reason);
      const { job, result } = createJob({ work, asker, signal, number: ++last, ask, settle });
      const refused = line.add(job);
      if (refused) (refused.ticket as Job<Asker>).fail(failed({ kind: 'busy', most: refused.most }));
      advance();
      return result;
    },
    advance,
    async close() {
      closed = true;
      const waiting = line.clear() as readonly Job<Asker>[];
      for (const job of [...waiting, ...served]) job.fail(failed({ kind: 'closed' }));
      await places.endAll();
    },
  };
}

interface JobOptions<Question, Answer, Asker, T> {
  readonly work: (ask: Ask<Question, Answer>) => Promise<T>;
  readonly asker: Asker;
  readonly signal: AbortSignal | undefined;
  readonly number: number;
  readonly ask: (job: Job<Asker>, ...question: Parameters<Ask<Question, Answer>>) => Promise<Answer>;
  readonly settle: (job: Job<Asker>) => void;
}

function createJob<Question, Answer, Asker, T>(
  options: JobOptions<Question, Answer, Asker, T>,
): { readonly job: Job<Asker>; readonly result: Promise<T> } {
  const { work, asker, signal, number, ask, settle } = options;
  const { promise: result, resolve, reject } = Promise.withResolvers<T>();
  const abort = (): void => job.fail(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const over = (): void => {
    signal?.removeEventListener('abort', abort);
    job.isOver = true;
    settle(job);
  };
  const job: Job<Asker> = {
    asker,
    number,
    isOver: false,
    begin: () =>
      void Promise.try(work, (...question: Parameters<Ask<Question, Answer>>) => ask(job, ...question))
        .then(resolve, reject)
        .finally(over),
    fail(error) {
      signal?.removeEventListener('abort', abort);
      job.ended ??= { error };
      job.asked?.reject(error);
      reject(error);
    },
  };
  return { job, result };
}

function deliver(asked: PromiseWithResolvers<unknown>, reply: FromThread<unknown>): void {
  if ('answer' in reply) asked.resolve(reply.answer);
  else {
    const { code, message } = reply.error;
    asked.reject(code === undefined ? new Error(message) : new OperationalError(code, message));
  }
}
