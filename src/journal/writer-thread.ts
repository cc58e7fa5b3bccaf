/**
 * The writing thread: rows in, groups committed, failures waited out.
 *
 * Rows are written as they come, into one open transaction, so that the work is even; a timer commits.
 * When SQLite fails, the transaction is rolled back and everything uncommitted is written again after a
 * pause; a damaged file is set aside and a new one started; rows that cannot be written at all are
 * rejected with an event. The bound on memory is held by the other side (journal.ts), which counts
 * batches until they are told `written`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isOperational } from '../model/errors.ts';
import { goBehindMail } from '../world/background.ts';
import { systemClock, type TimerHandle } from '../world/clock.ts';
import { type Batch, rowsOf } from './batch.ts';
import { setAside } from './damaged.ts';
import { expireStep, type Retention } from './expire.ts';
import { classify } from './failure.ts';
import { COMMIT_DELAY_MS, EXPIRE_INTERVAL_MS, EXPIRE_PAUSE_MS, RETRY_FIRST_MS, RETRY_LAST_MS } from './limits.ts';
import type { FromThread, LogSize, ThreadOptions, ToThread } from './post.ts';
import { logBounds, usedBytes } from './size.ts';
import { createTrim } from './trim.ts';
import { type LogWriter, openLogWriter } from './writer.ts';

const port = parentPort!;
const { path, retention: initial } = workerData as ThreadOptions;
const clock = systemClock;

const ROUNDS = 10;

goBehindMail('log');

let retention: Retention = initial;
let writer: LogWriter | undefined;
/** Batches not committed: those before `written` are in the open transaction. */
let pending: Batch[] = [];
let written = 0;
let received = 0;
let unusable = false;
let commitTimer: TimerHandle | undefined;
let retryTimer: TimerHandle | undefined;
let expireTimer: TimerHandle | undefined;
let retryMs = RETRY_FIRST_MS;
let failingSince: number | undefined;
const trim = createTrim();
/** Rows since it was last told. */
let trimmed = 0;
let isOver = false;

const tell = (message: FromThread): void => port.postMessage(message);

/** Runs a step of work on the database; false when it failed and will be tried again later. */
function attempt(step: (writer: LogWriter) => void): boolean {
  // Each round that fails without a reason to wait has removed its cause: a damaged file, a bad batch.
  for (let round = 0; round < ROUNDS && !retryTimer && !unusable; round++) {
    try {
      writer ??= openLogWriter(path, clock.now);
      step(writer);
      return true;
    } catch (error) {
      if (failed(error) === 'later') return false;
    }
  }
  return false;
}

function writePending(log: LogWriter): void {
  for (let next = pending[written]; next; next = pending[written]) {
    log.write(next);
    written++;
  }
}

function commit(): void {
  commitTimer?.cancel();
  commitTimer = undefined;
  const done = attempt((log) => {
    writePending(log);
    log.commit();
  });
  if (!done) return;
  pending = [];
  written = 0;
  recovered();
  tell({ kind: 'written', batch: received });
}

function recovered(): void {
  retryMs = RETRY_FIRST_MS;
  if (failingSince === undefined) return;
  tell({ kind: 'event', name: 'journal.writable', fields: { afterMs: Math.round(clock.monotonic() - failingSince) } });
  failingSince = undefined;
}

function failed(error: unknown): 'again' | 'later' {
  const text = error instanceof Error ? error.message : String(error);
  if (isOperational(error, 'journal.schema-newer')) {
    unusable = true;
    tell({ kind: 'unusable', code: error.code, message: text });
    return 'later';
  }
  const failure = classify(error);
  const culprit = pending[written];
  startOver();
  if (failure.kind === 'damaged') return replaceDamaged(text);
  if (failure.kind === 'defect' && culprit) {
    pending = pending.filter((batch) => batch !== culprit);
    tell({ kind: 'event', name: 'journal.rejected', fields: { records: [...rowsOf(culprit)].length, error: text } });
    return 'again';
  }
  return wait(failure.kind === 'wait' ? failure.reason : 'io', text);
}

function startOver(): void {
  written = 0;
  try {
    writer?.rollback();
  } catch {
    // A connection that cannot even roll back is opened again: the file, not the connection, holds the truth.
    closeWriter();
  }
}

function closeWriter(): void {
  try {
    writer?.close();
  } catch {
    // Closed or broken: there is nothing to save in it, what was uncommitted is still in `pending`.
  }
  writer = undefined;
}

function wait(reason: 'full' | 'read-only' | 'busy' | 'io', error: string): 'later' {
  if (failingSince === undefined) {
    failingSince = clock.monotonic();
    tell({ kind: 'event', name: 'journal.unwritable', fields: { reason, error } });
  }
  // After an I/O error the connection's view of the file cannot be trusted.
  if (reason !== 'busy') closeWriter();
  retryTimer = clock.after(retryMs, () => {
    retryTimer = undefined;
    commit();
  });
  retryMs = Math.min(retryMs * 2, RETRY_LAST_MS);
  return 'later';
}

function replaceDamaged(error: string): 'again' | 'later' {
  closeWriter();
  try {
    const movedTo = setAside(path, clock.now());
    tell({ kind: 'event', name: 'journal.damaged', fields: { file: path, movedTo, error } });
    return 'again';
  } catch (cause) {
    return wait('io', `${error}; cannot set it aside: ${(cause as Error).message}`);
  }
}

function scheduleCommit(): void {
  commitTimer ??= clock.after(COMMIT_DELAY_MS, commit);
}

/** What is too old goes, then what is too much: a step of each, and another soon while there is more. */
function expire(): void {
  expireTimer?.cancel();
  let more = false;
  // Rows in the open transaction go first: expiring has transactions of its own.
  if (pending.length > 0) commit();
  attempt(({ db }) => {
    more = expireStep(db, retention, clock.now());
    const { maxBytes, trimBytes } = logBounds(db, path, retention.maxBytes);
    const { rows, state } = trim.step(db, trimBytes, clock.now());
    trimmed += rows;
    more ||= state === 'more';
    if (!more) tellSize({ usedBytes: usedBytes(db), maxBytes });
  });
  expireTimer = clock.after(more ? EXPIRE_PAUSE_MS : EXPIRE_INTERVAL_MS, expire);
}

function tellSize(size: LogSize): void {
  const over = size.usedBytes > size.maxBytes;
  if (trimmed > 0) tell({ kind: 'event', name: 'journal.trimmed', fields: { rows: trimmed, ...size } });
  if (over && !isOver) tell({ kind: 'event', name: 'journal.too-large', fields: { ...size } });
  trimmed = 0;
  isOver = over;
  tell({ kind: 'size', size });
}

function close(): void {
  commit();
  retryTimer?.cancel();
  closeWriter();
  tell({ kind: 'closed' });
  port.close();
}

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'rows':
      pending.push(message.batch);
      received = message.number;
      attempt(writePending);
      return scheduleCommit();
    case 'flush':
      commit();
      return tell({ kind: 'flushed', token: message.token });
    case 'retention':
      retention = message.retention;
      return expire();
    case 'close':
      return close();
  }
});

attempt(() => {});
tell({ kind: 'ready' });
expire();
