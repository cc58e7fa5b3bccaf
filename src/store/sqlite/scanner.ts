/**
 * Long reads, off the event loop: the thread starts on the first one and retires when idle. One read at a
 * time, first come, first served.
 *
 * Errors: those of storeError; `store.unavailable` where too many wait, or the thread ended.
 */
import type { Clock } from '../../world/clock.ts';
import { createWorkerClient } from '../../world/workers/client.ts';
import type { WorkerFailure } from '../../world/workers/failure.ts';
import { createPlainLine } from '../../world/workers/line.ts';
import type { Row, Statement } from '../contract.ts';
import { SCAN_IDLE_MS, SCANS_WAITING } from '../limits.ts';
import { messageOf, storeError } from './failure.ts';
import type { ScanReply } from './scan-thread.ts';

export interface Scanner {
  scan(statement: Statement): Promise<readonly Row[]>;
  close(): Promise<void>;
}

const COULD_NOT = 'search the database';

export function createScanner(path: string, clock: Clock, onCorrupt: (detail: string) => void): Scanner {
  const client = createWorkerClient<Statement, ScanReply>({
    clock,
    source: { module: new URL('./scan-thread.ts', import.meta.url), workerData: { path }, name: 'scan' },
    line: createPlainLine(SCANS_WAITING),
    idleMs: SCAN_IDLE_MS,
    failed: (failure) => storeError('broken', COULD_NOT, sentenceOf(failure), path),
  });
  return {
    async scan(statement) {
      const reply = await client.run((ask) => ask(statement));
      if ('rows' in reply) return reply.rows;
      if (reply.failure === 'corrupt') onCorrupt(reply.said);
      throw storeError(reply.failure, COULD_NOT, reply.said, path);
    },
    close: client.close,
  };
}

function sentenceOf(failure: WorkerFailure): string {
  switch (failure.kind) {
    case 'busy':
      return `${failure.most} searches wait already`;
    case 'late':
      return `it took more than ${failure.deadlineMs} ms`;
    case 'died':
      return messageOf(failure.cause);
    case 'closed':
      return 'it was closed';
  }
}
