/**
 * The journal's near side: takes records on the event loop and hands them to the writing thread.
 *
 * A record becomes bytes at once and travels with others; batches are kept until the thread says
 * they are on disk, so that a thread that dies is started again and loses nothing. When more waits than
 * memory allows (thread too slow, disk full) new records are left out, counted and told by an event;
 * their sequence numbers become durable with those before them, so that the queue never waits for them.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { OperationalError } from '../model/errors.ts';
import { THREAD_YOUNG_MB } from '../store/limits.ts';
import type { Clock, TimerHandle } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import { type Batch, createBatchWriter } from './batch.ts';
import type { Journal, MessageRecord, SessionRecord } from './contract.ts';
import { boundedDialogue } from './dialogue.ts';
import type { Retention } from './expire.ts';
import { createIdleSessions } from './idle-sessions.ts';
import {
  FLUSH_DEADLINE_MS,
  FREE_DIALOGUE_CHARACTERS,
  IDLE_SESSION_WINDOW_MS,
  LOST_NOTICE_MS,
  POST_DELAY_MS,
  RETRY_FIRST_MS,
  WAITING_BYTES,
  WAITING_RECORDS,
} from './limits.ts';
import type { FromThread, LogSize, ThreadOptions, ToThread } from './post.ts';
import { auditRow, type LogRow, messageRow, recipientRow, rowCharacters, sessionRow } from './record.ts';
import { createRefusals } from './refusals.ts';

export interface JournalOptions {
  /** Of log.db; its folder exists. */
  readonly path: string;
  readonly clock: Clock;
  readonly events: Events;
  readonly retention: Retention;
  /** What may wait in memory; tests make it small. */
  readonly waitingBytes?: number;
}

export interface OpenJournal extends Journal {
  setRetention(retention: Retention): void;
  /** As it was some minutes ago at most; undefined until it was looked at. */
  size(): LogSize | undefined;
}

/** On its way to the disk. */
interface SentBatch {
  readonly number: number;
  readonly batch: Batch;
  readonly records: number;
  /** The highest sequence number that is durable with it. */
  readonly upTo: number;
}

/** Errors: OperationalError `journal.schema-newer`. A full disk or a damaged file is no error: it is waited out or set aside. */
export async function openJournal(options: JournalOptions): Promise<OpenJournal> {
  const { clock, events, waitingBytes = WAITING_BYTES } = options;
  let retention = options.retention;
  let sequence = 0;
  let durable = 0;
  let batches = 0;
  const current = createBatchWriter();
  let records = 0;
  /** The highest sequence number in it. */
  let upTo = 0;
  let postTimer: TimerHandle | undefined;
  const sent: SentBatch[] = [];
  /** What was sent and is not on disk. */
  const waiting = { records: 0, bytes: 0 };
  let lost = 0;
  let lostTimer: TimerHandle | undefined;
  let closing = false;
  let tokens = 0;
  const flushes = new Map<number, () => void>();
  const listeners = new Set<(upTo: number) => void>();
  const idleSessions = createIdleSessions(clock.now());
  const refusals = createRefusals();
  let size: LogSize | undefined;
  let worker: Worker;

  const post = (message: ToThread): void => worker.postMessage(message);

  const send = (): void => {
    postTimer?.cancel();
    postTimer = undefined;
    if (records === 0) return;
    const number = ++batches;
    const batch = current.take();
    sent.push({ number, batch, records, upTo });
    waiting.bytes += batch.length;
    waiting.records += records;
    records = 0;
    post({ kind: 'rows', number, batch });
  };

  const append = (row: LogRow): void => {
    if (waiting.bytes + current.bytes >= waitingBytes || waiting.records + records >= WAITING_RECORDS) {
      lose();
      return;
    }
    if (!current.put(row)) {
      send();
      current.put(row);
    }
    records++;
    upTo = sequence;
    postTimer ??= clock.after(POST_DELAY_MS, send);
  };

  const lose = (): void => {
    lost++;
    lostTimer ??= clock.after(LOST_NOTICE_MS, tellLost);
  };
  const tellLost = (): void => {
    lostTimer?.cancel();
    lostTimer = undefined;
    if (lost > 0) events.emit('journal.lost', { records: lost });
    lost = 0;
  };

  const onWritten = (batch: number): void => {
    while (sent[0] && sent[0].number <= batch) {
      const done = sent.shift()!;
      waiting.bytes -= done.batch.length;
      waiting.records -= done.records;
      durable = done.upTo;
      current.giveBack(done.batch);
    }
    // Numbers of records that were left out have no batch to become durable with.
    if (sent.length === 0 && records === 0) durable = sequence;
    for (const listener of listeners) listener(durable);
  };

  const onMessage = (message: FromThread): void => {
    if (message.kind === 'written') onWritten(message.batch);
    if (message.kind === 'size') size = message.size;
    if (message.kind === 'event') events.emit(message.name, message.fields as never);
    if (message.kind === 'flushed') {
      flushes.get(message.token)?.();
      flushes.delete(message.token);
    }
  };

  const start = (): Promise<void> => {
    const workerData: ThreadOptions = { path: options.path, retention };
    worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
      workerData,
      name: 'journal',
      resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MB },
    });
    const thread = worker;
    thread.on('message', onMessage);
    return new Promise((resolve, reject) => {
      thread.on('message', (message: FromThread) => {
        if (message.kind === 'ready') resolve();
        if (message.kind === 'unusable') reject(new OperationalError(message.code, message.message));
      });
      thread.on('error', (error) => {
        reject(error);
        restart(error);
      });
    });
  };

  /** A thread that ended by itself: what it had not written is sent to the next one. */
  const restart = (error: unknown): void => {
    events.emit('journal.restarted', {
      error: error instanceof Error ? error.message : String(error),
      records: waiting.records + records,
    });
    clock.after(RETRY_FIRST_MS, () => {
      if (closing) return;
      // A start that fails comes back here by the thread's own error.
      start().catch(() => {});
      for (const { number, batch } of sent) post({ kind: 'rows', number, batch });
    });
  };

  const endIdleWindow = (): void => {
    for (const { network, since, until, count } of idleSessions.endWindow(clock.now())) {
      append(['session-count', network, since, until, count]);
    }
    appendCounted();
    refusals.endWindow();
  };
  const appendCounted = (): void => refusals.counted().forEach(append);
  const refused = (record: MessageRecord): void => {
    const row = messageRow(record);
    if (refusals.spend(record.clientAddress ?? '', rowCharacters(row))) append(row);
    else refusals.count(record);
  };
  /** A session with a message has its row; one message is no licence to talk at length. */
  const affordable = (record: SessionRecord): SessionRecord => {
    const { dialogue } = record;
    const more = dialogue.length - FREE_DIALOGUE_CHARACTERS;
    if (more <= 0 || refusals.spend(record.facts.client.address, more)) return record;
    return { ...record, dialogue: boundedDialogue(dialogue, FREE_DIALOGUE_CHARACTERS) };
  };
  const armIdleWindow = (): TimerHandle =>
    clock.after(IDLE_SESSION_WINDOW_MS, () => {
      endIdleWindow();
      idleTimer = armIdleWindow();
    });
  let idleTimer = armIdleWindow();

  const flush = async (): Promise<void> => {
    // A question about refusals is answered with those that were only counted.
    appendCounted();
    send();
    const token = ++tokens;
    await new Promise<void>((resolve) => {
      const deadline = clock.after(FLUSH_DEADLINE_MS, resolve, { keepAlive: true });
      flushes.set(token, () => {
        deadline.cancel();
        resolve();
      });
      post({ kind: 'flush', token });
    });
    flushes.delete(token);
  };

  /** The thread closes the database itself; one that hangs is ended. */
  const end = async (): Promise<void> => {
    const exited = once(worker, 'exit');
    const deadline = clock.after(FLUSH_DEADLINE_MS, () => void worker.terminate(), { keepAlive: true });
    post({ kind: 'close' });
    await exited;
    deadline.cancel();
  };

  try {
    await start();
  } catch (error) {
    closing = true;
    idleTimer.cancel();
    await end();
    throw error;
  }
  return {
    session(record) {
      const { address } = record.facts.client;
      if (record.messagesAccepted > 0) return append(sessionRow(affordable(record)));
      if (!idleSessions.admit(address)) return;
      const row = sessionRow(record);
      if (refusals.spend(address, rowCharacters(row))) append(row);
      else idleSessions.alsoCount(address);
    },
    message(record) {
      const number = ++sequence;
      if ('id' in record && record.direction === 'refused') refused(record);
      else append('id' in record ? messageRow(record) : record);
      return number;
    },
    recipient(record) {
      const number = ++sequence;
      append('message' in record ? recipientRow(record) : record);
      return number;
    },
    audit: (record) => append(auditRow(record)),
    durable: () => durable,
    onDurable(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    flush,
    async close() {
      if (closing) return;
      endIdleWindow();
      await flush();
      closing = true;
      idleTimer.cancel();
      tellLost();
      await end();
    },
    size: () => size,
    setRetention(next) {
      retention = next;
      post({ kind: 'retention', retention });
    },
  };
}
