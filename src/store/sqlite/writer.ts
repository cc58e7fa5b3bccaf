/**
 * Group commit: while one transaction is on its way, units gather; the next takes them all.
 *
 * Promises: units run in the order of their writing; a unit resolves only when it is on disk. A
 * failed commit fails every unit in it. After a failed fsync or a broken file nothing is accepted
 * until the database was opened anew, verified, and has proven that it takes a commit; it tries that
 * by itself, ever more slowly.
 */
import { OperationalError } from '../../model/errors.ts';
import type { Clock, TimerHandle } from '../../world/clock.ts';
import type { Row, WriteResult } from '../contract.ts';
import { GROUP_BYTES, GROUP_UNITS, REOPEN_FIRST_MS, REOPEN_LAST_MS, WAITING_UNITS } from '../limits.ts';
import type { Executor } from './executor.ts';
import { storeError } from './failure.ts';
import type { Health } from './health.ts';
import { type BatchOutcome, isFailure, type StatementOutcome, type Unit, type UnitOutcome } from './units.ts';

export interface Writer {
  write(unit: Unit): Promise<readonly WriteResult[]>;
  /** After what waits has been written. */
  close(): Promise<void>;
}

export interface WriterParts {
  /** Of the database, for who reads what went wrong. */
  readonly path: string;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly health: Health;
  /** Told whenever the file turns out to be damaged. */
  onCorrupt(detail: string): void;
}

interface Waiting {
  readonly unit: Unit;
  readonly resolve: (results: readonly WriteResult[]) => void;
  readonly reject: (error: Error) => void;
}

const NO_ROWS: readonly Row[] = [];
const COULD_NOT = 'write to the database';

export function createWriter({ path, executor, clock, health, onCorrupt }: WriterParts): Writer {
  let waiting: Waiting[] = [];
  let state: 'idle' | 'scheduled' | 'busy' | 'reopening' | 'closed' = 'idle';
  let broken = '';
  let retry: TimerHandle | undefined;
  let onIdle: (() => void) | undefined;

  const flush = (): void => {
    if (state === 'closed') return;
    if (waiting.length === 0) {
      state = 'idle';
      onIdle?.();
      return;
    }
    state = 'busy';
    const batch = takeBatch();
    executor.run(
      batch.map(({ unit }) => unit),
      (outcome) => finish(batch, outcome),
    );
  };

  const takeBatch = (): Waiting[] => {
    const count = batchLength(waiting);
    const batch = count === waiting.length ? waiting : waiting.slice(0, count);
    waiting = count === waiting.length ? [] : waiting.slice(count);
    return batch;
  };

  const finish = (batch: readonly Waiting[], outcome: BatchOutcome): void => {
    if (outcome.kind === 'committed') {
      health.succeeded();
      for (let i = 0; i < batch.length; i++) answer(batch[i]!, outcome.units[i]!, path);
      flush();
      return;
    }
    const error = storeError(outcome.failure, COULD_NOT, outcome.said, path);
    if (outcome.failure !== 'defect') health.failed(outcome.failure === 'full' ? 'full' : 'unavailable', outcome.said);
    if (outcome.failure === 'corrupt') onCorrupt(outcome.said);
    if (outcome.failure === 'broken' || outcome.failure === 'corrupt') refuseUntilReopened(outcome.said);
    for (const { reject } of batch) reject(error);
    if (state === 'busy') flush();
  };

  const refuseUntilReopened = (said: string): void => {
    broken = said;
    state = 'reopening';
    for (const { reject } of waiting.splice(0)) reject(storeError('broken', COULD_NOT, said, path));
    reopenAfter(REOPEN_FIRST_MS);
  };

  const reopenAfter = (delayMs: number): void => {
    retry = clock.after(delayMs, () => {
      void executor.reopen().then((reopened) => {
        if (state !== 'reopening') return;
        if (reopened.kind === 'open') {
          health.succeeded();
          flush();
          return;
        }
        if (reopened.failure === 'corrupt') onCorrupt(reopened.said);
        broken = reopened.said;
        reopenAfter(Math.min(delayMs * 2, REOPEN_LAST_MS));
      });
    });
  };

  return {
    write(unit) {
      if (state === 'reopening') return Promise.reject(storeError('broken', COULD_NOT, broken, path));
      if (state === 'closed') return Promise.reject(closedError());
      if (waiting.length >= WAITING_UNITS)
        return Promise.reject(storeError('busy', COULD_NOT, `${WAITING_UNITS} writes wait already`, path));
      return new Promise((resolve, reject) => {
        waiting.push({ unit, resolve, reject });
        if (state !== 'idle') return;
        // What the rest of this turn of the loop writes shall go along.
        state = 'scheduled';
        setImmediate(flush);
      });
    },
    async close() {
      if (state === 'closed') return;
      if (state === 'busy' || state === 'scheduled') {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      state = 'closed';
      retry?.cancel();
      await executor.close();
    },
  };
}

function closedError(): Error {
  return new OperationalError('store.unavailable', `cannot ${COULD_NOT}, as it must be open: it was closed`);
}

function batchLength(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const most = Math.min(waiting.length, GROUP_UNITS);
  for (let i = 0; i < most; i++) {
    bytes += blobBytes(waiting[i]!.unit);
    if (bytes > GROUP_BYTES) return Math.max(i, 1);
  }
  return most;
}

function blobBytes(unit: Unit): number {
  let bytes = 0;
  for (const { parameters } of unit) {
    for (const value of parameters) if (value instanceof Uint8Array) bytes += value.length;
  }
  return bytes;
}

function answer({ resolve, reject }: Waiting, outcome: UnitOutcome, path: string): void {
  if (!isFailure(outcome)) resolve(outcome.map(toResult));
  else if (outcome.failure === 'expectation')
    reject(new OperationalError('store.expectation', `cannot ${COULD_NOT}, as ${outcome.said}`));
  else reject(storeError(outcome.failure, COULD_NOT, outcome.said, path));
}

const CHANGED: readonly WriteResult[] = [0, 1].map((changes) => Object.freeze({ changes, rows: NO_ROWS }));

function toResult(outcome: StatementOutcome): WriteResult {
  if (outcome === 0 || outcome === 1) return CHANGED[outcome]!;
  return typeof outcome === 'number' ? { changes: outcome, rows: NO_ROWS } : { changes: outcome.length, rows: outcome };
}
