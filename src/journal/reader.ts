/**
 * Asks the log without stopping the event loop: a thread started by the first question, ended when
 * nobody asked for a while. One question at a time; each has a deadline, at which its thread is ended.
 *
 * Works beside a running node, from another process, and on a stopped one. Errors: OperationalError
 * `log.timeout`, `log.busy`, `log.damaged`, `log.unavailable`, `log.invalid-cursor`, `log.invalid-filter`.
 */
import { OperationalError } from '../model/errors.ts';
import type { Clock } from '../world/clock.ts';
import { createWorkerClient } from '../world/workers/client.ts';
import type { WorkerFailure } from '../world/workers/failure.ts';
import { createPlainLine } from '../world/workers/line.ts';
import type { LogFilter } from './filter.ts';
import { READER_IDLE_MS, SEARCH_DEADLINE_MS, SEARCHES_WAITING } from './limits.ts';
import type { SessionFilter } from './list.ts';
import type { Answers, Question } from './question.ts';
import type { ReaderOptions } from './reader-thread.ts';
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

export function createLogReader({ path, clock, deadlineMs = SEARCH_DEADLINE_MS }: LogReaderOptions): LogReader {
  const client = createWorkerClient<Question, Answers[keyof Answers]>({
    clock,
    source: {
      module: new URL('./reader-thread.ts', import.meta.url),
      workerData: { path } satisfies ReaderOptions,
      name: 'log-reader',
    },
    line: createPlainLine(SEARCHES_WAITING),
    idleMs: READER_IDLE_MS,
    deadlineMs,
    failed,
  });
  const ask = <K extends Question['kind']>(question: Question & { kind: K }): Promise<Answers[K]> =>
    client.run((toThread) => toThread(question) as Promise<Answers[K]>);
  return {
    searchLog: (filter, page = {}) => ask({ kind: 'search', filter, page }),
    showMessage: (id) => ask({ kind: 'show', id }),
    listSessions: (filter, page = {}) => ask({ kind: 'sessions', filter, page }),
    listAudit: (filter, page = {}) => ask({ kind: 'audit', filter, page }),
    close: client.close,
  };
}

function failed(failure: WorkerFailure): OperationalError {
  switch (failure.kind) {
    case 'closed':
      return new OperationalError('log.unavailable', 'cannot search the log, as the node is stopping');
    case 'busy':
      return new OperationalError(
        'log.busy',
        `cannot search the log, as searches waiting must be below ${failure.most}: current value is ${failure.most}`,
      );
    case 'late':
      return new OperationalError(
        'log.timeout',
        `cannot finish this search, as it must end within ${failure.deadlineMs} ms: narrow it by time or by an address`,
      );
    case 'died': {
      const { cause } = failure;
      return new OperationalError('log.unavailable', `cannot read log.db: ${String(cause)}`, { cause });
    }
  }
}
