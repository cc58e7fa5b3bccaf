/**
 * Reads received reports in a thread with bounded memory and a deadline: whatever a report does to its reader, the
 * result is a report or a sentence on why there is none. The thread starts with the first report and ends after a
 * while without one.
 */
import { OperationalError } from '../../model/errors.ts';
import type { Clock } from '../../world/clock.ts';
import { createWorkerClient } from '../../world/workers/client.ts';
import type { WorkerFailure } from '../../world/workers/failure.ts';
import { createPlainLine } from '../../world/workers/line.ts';
import { READ_DEADLINE_MS, READER_IDLE_MS, READER_MEGABYTES, READING_WAITING } from '../limits.ts';
import type { ReadMessage } from './types.ts';

export interface ReportReader {
  /**
   * `load` returns the bytes when their turn comes, so that waiting reports hold no memory. Errors: OperationalError
   * `report.busy`, and those of `load`.
   */
  read(load: () => Promise<Uint8Array>): Promise<ReadMessage>;
  close(): Promise<void>;
}

export function createReportReader(clock: Clock): ReportReader {
  const client = createWorkerClient<Uint8Array, ReadMessage>({
    clock,
    source: {
      module: new URL('./reader-thread.ts', import.meta.url),
      name: 'report-reader',
      resourceLimits: { maxOldGenerationSizeMb: READER_MEGABYTES, maxYoungGenerationSizeMb: READER_MEGABYTES / 8 },
    },
    line: createPlainLine(READING_WAITING),
    idleMs: READER_IDLE_MS,
    deadlineMs: READ_DEADLINE_MS,
    failed,
  });
  return {
    async read(load) {
      try {
        return await client.run(async (ask) => ask(await load()));
      } catch (error) {
        if (error instanceof Unreadable) return { ok: false, problem: error.message };
        throw error;
      }
    },
    close: client.close,
  };
}

/** A failure of the reader caused by this report: a result, not an error. */
class Unreadable extends Error {}

function failed(failure: WorkerFailure): Error {
  switch (failure.kind) {
    case 'late':
      return new Unreadable(`it takes more than ${failure.deadlineMs / 1000} s to read`);
    case 'died':
      return new Unreadable(`its reader came to an end: ${messageOf(failure.cause)}`);
    case 'busy':
      return new OperationalError(
        'report.busy',
        `cannot read a report now, as those waiting must be below ${failure.most}: there are ${failure.most}`,
      );
    case 'closed':
      return new OperationalError('report.busy', 'cannot read a report now, as the node is stopping');
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
