/** Long reads, off the event loop: the thread starts on the first one and retires when idle. */
import { Worker } from 'node:worker_threads';
import type { Clock, TimerHandle } from '../../world/clock.ts';
import type { Row, Statement } from '../contract.ts';
import { SCAN_IDLE_MS } from '../limits.ts';
import { messageOf, storeError } from './failure.ts';
import type { ScanReply, ScanRequest } from './scan-thread.ts';

export interface Scanner {
  scan(statement: Statement): Promise<readonly Row[]>;
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: Error) => void;
}

const COULD_NOT = 'search the database';

export function createScanner(path: string, clock: Clock, onCorrupt: (detail: string) => void): Scanner {
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let idle: TimerHandle | undefined;
  let lastId = 0;

  const settle = (reply: ScanReply): void => {
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if ('rows' in reply) waiting?.resolve(reply.rows);
    else {
      if (reply.failure === 'corrupt') onCorrupt(reply.said);
      waiting?.reject(storeError(reply.failure, COULD_NOT, reply.said, path));
    }
    if (pending.size === 0) idle = clock.after(SCAN_IDLE_MS, () => void retire());
  };

  const start = (): Worker => {
    const started = new Worker(new URL('./scan-thread.ts', import.meta.url), { workerData: { path }, name: 'scan' });
    let said = 'the scan thread ended';
    started.on('message', settle);
    started.on('error', (error) => {
      said = messageOf(error);
    });
    started.on('exit', () => {
      if (worker !== started) return;
      worker = undefined;
      for (const { reject } of pending.values()) reject(storeError('broken', COULD_NOT, said, path));
      pending.clear();
    });
    return started;
  };

  const retire = async (): Promise<void> => {
    idle?.cancel();
    const retiring = worker;
    worker = undefined;
    await retiring?.terminate();
  };

  return {
    scan(statement) {
      idle?.cancel();
      worker ??= start();
      const id = ++lastId;
      const request: ScanRequest = { id, statement };
      worker.postMessage(request);
      return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
    },
    async close() {
      for (const { reject } of pending.values()) reject(storeError('broken', COULD_NOT, 'it was closed', path));
      pending.clear();
      await retire();
    },
  };
}
