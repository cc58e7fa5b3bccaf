/**
 * Reads reports of others in a thread with bounded memory and a deadline: whatever a report does to
 * its reader, the answer is a report or a sentence on why there is none. The thread is started by the
 * first report and ended when none came for a while.
 */
import { Worker } from 'node:worker_threads';
import { OperationalError } from '../../model/errors.ts';
import type { Clock, TimerHandle } from '../../world/clock.ts';
import { READ_DEADLINE_MS, READER_IDLE_MS, READER_MEGABYTES, READING_WAITING } from '../limits.ts';
import type { ReadMessage } from './types.ts';

export interface ReportReader {
  /**
   * `load` gives the octets when their turn comes, so that those who wait hold none. Errors:
   * OperationalError `report.busy`, and what `load` throws.
   */
  read(load: () => Promise<Uint8Array>): Promise<ReadMessage>;
  close(): Promise<void>;
}

interface Asked {
  readonly load: () => Promise<Uint8Array>;
  readonly resolve: (read: ReadMessage) => void;
  readonly reject: (error: Error) => void;
}

export function createReportReader(clock: Clock): ReportReader {
  const waiting: Asked[] = [];
  let asked: Asked | undefined;
  let worker: Worker | undefined;
  let timer: TimerHandle | undefined;
  let closed = false;

  function next(): void {
    if (asked) return;
    timer?.cancel();
    asked = waiting.shift();
    if (!asked) {
      timer = clock.after(READER_IDLE_MS, () => void end());
      return;
    }
    const current = asked;
    current.load().then(
      (message) => {
        if (asked === current) post(message);
      },
      (error: Error) => {
        if (asked !== current) return;
        asked = undefined;
        current.reject(error);
        next();
      },
    );
  }

  function post(message: Uint8Array): void {
    worker ??= start();
    timer = clock.after(READ_DEADLINE_MS, () => {
      void end();
      settle({ ok: false, problem: `it takes more than ${READ_DEADLINE_MS / 1000} s to read` });
    });
    worker.postMessage(message);
  }

  function settle(read: ReadMessage): void {
    const current = asked;
    asked = undefined;
    current?.resolve(read);
    next();
  }

  function start(): Worker {
    const thread = new Worker(new URL('./reader-thread.ts', import.meta.url), {
      name: 'report-reader',
      resourceLimits: { maxOldGenerationSizeMb: READER_MEGABYTES, maxYoungGenerationSizeMb: READER_MEGABYTES / 8 },
    });
    thread.unref();
    thread.on('message', (read: ReadMessage) => {
      if (thread === worker) settle(read);
    });
    thread.on('error', (error) => {
      if (thread !== worker) return;
      worker = undefined;
      settle({ ok: false, problem: `its reader came to an end: ${(error as Error).message}` });
    });
    return thread;
  }

  async function end(): Promise<void> {
    const thread = worker;
    worker = undefined;
    await thread?.terminate();
  }

  return {
    read(load) {
      return new Promise((resolve, reject) => {
        if (closed || waiting.length >= READING_WAITING)
          return reject(
            new OperationalError(
              'report.busy',
              `cannot read a report now, as those waiting must be below ${READING_WAITING}: there are ${waiting.length}`,
            ),
          );
        waiting.push({ load, resolve, reject });
        next();
      });
    },
    async close() {
      closed = true;
      timer?.cancel();
      const left = asked ? [asked, ...waiting.splice(0)] : waiting.splice(0);
      asked = undefined;
      for (const { reject } of left)
        reject(new OperationalError('report.busy', 'cannot read a report now, as the node is stopping'));
      await end();
    },
  };
}
