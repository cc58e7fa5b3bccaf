/**
 * Asks the log without stopping the event loop: a thread started by the first question, ended when
 * nobody asked for a while. One question at a time; each has a deadline, at which its thread is ended.
 *
 * Works beside a running node, from another process, and on a stopped one. Errors: OperationalError
 * `log.timeout`, `log.busy`, `log.damaged`, `log.unavailable`, `log.invalid-cursor`, `log.invalid-filter`.
 */
import { Worker } from 'node:worker_threads';
import { OperationalError } from '../model/errors.ts';
import type { Clock, TimerHandle } from '../world/clock.ts';
import type { LogFilter } from './filter.ts';
import { READER_IDLE_MS, SEARCH_DEADLINE_MS, SEARCHES_WAITING } from './limits.ts';
import type { SessionFilter } from './list.ts';
import type { Answers, Question } from './question.ts';
import type { FromReader } from './reader-thread.ts';
import type { Page } from './search.ts';

export interface LogReader {
  searchLog(filter: LogFilter, page?: Page): Promise<Answers['search']>;
  /** A message or a session, whichever has this id. */
  showMessage(id: string): Promise<Answers['show']>;
  listSessions(filter: SessionFilter, page?: Page): Promise<Answers['sessions']>;
  listAudit(filter: { since?: number; until?: number }, page?: Page): Promise<Answers['audit']>;
  /** Ends the thread; questions not answered yet fail with `log.unavailable`. */
  close(): Promise<void>;
}

export interface LogReaderOptions {
  /** Of log.db. */
  readonly path: string;
  readonly clock: Clock;
  readonly deadlineMs?: number;
}

interface Asked {
  readonly question: Question;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export function createLogReader({ path, clock, deadlineMs = SEARCH_DEADLINE_MS }: LogReaderOptions): LogReader {
  const waiting: Asked[] = [];
  let asked: Asked | undefined;
  let worker: Worker | undefined;
  let timer: TimerHandle | undefined;
  let closed = false;

  const ask = <K extends Question['kind']>(question: Question & { kind: K }): Promise<Answers[K]> =>
    new Promise((resolve, reject) => {
      if (closed)
        return reject(new OperationalError('log.unavailable', 'cannot search the log, as the node is stopping'));
      if (waiting.length >= SEARCHES_WAITING) {
        return reject(
          new OperationalError(
            'log.busy',
            `cannot search the log, as searches waiting must be below ${SEARCHES_WAITING}: current value is ${waiting.length}`,
          ),
        );
      }
      waiting.push({ question, resolve, reject });
      next();
    });

  const next = (): void => {
    if (asked) return;
    timer?.cancel();
    asked = waiting.shift();
    if (!asked) {
      worker?.unref();
      timer = clock.after(READER_IDLE_MS, end);
      return;
    }
    worker ??= start();
    worker.ref();
    worker.postMessage(asked.question);
    timer = clock.after(deadlineMs, expire);
  };

  const settle = (done: (asked: Asked) => void): void => {
    const current = asked;
    asked = undefined;
    if (current) done(current);
    next();
  };

  const start = (): Worker => {
    const thread = new Worker(new URL('./reader-thread.ts', import.meta.url), {
      workerData: { path },
      name: 'log-reader',
    });
    thread.on('message', (reply: FromReader) => {
      if (thread !== worker) return;
      settle((current) =>
        'code' in reply
          ? current.reject(new OperationalError(reply.code, reply.message))
          : current.resolve(reply.value as never),
      );
    });
    thread.on('error', (cause) => {
      if (thread !== worker) return;
      worker = undefined;
      settle((current) =>
        current.reject(new OperationalError('log.unavailable', `cannot read log.db: ${String(cause)}`, { cause })),
      );
    });
    return thread;
  };

  const end = (): void => {
    void worker?.terminate();
    worker = undefined;
  };

  const expire = (): void => {
    end();
    settle((current) =>
      current.reject(
        new OperationalError(
          'log.timeout',
          `cannot finish this search, as it must end within ${deadlineMs} ms: narrow it by time or by an address`,
        ),
      ),
    );
  };

  return {
    searchLog: (filter, page = {}) => ask({ kind: 'search', filter, page }),
    showMessage: (id) => ask({ kind: 'show', id }),
    listSessions: (filter, page = {}) => ask({ kind: 'sessions', filter, page }),
    listAudit: (filter, page = {}) => ask({ kind: 'audit', filter, page }),
    async close() {
      closed = true;
      timer?.cancel();
      const left = asked ? [asked, ...waiting.splice(0)] : waiting.splice(0);
      asked = undefined;
      for (const { reject } of left)
        reject(new OperationalError('log.unavailable', 'cannot search the log, as the node is stopping'));
      const thread = worker;
      worker = undefined;
      await thread?.terminate();
    },
  };
}
