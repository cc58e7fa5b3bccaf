/**
 * Replays the log under other settings in a thread, one replay after the other; the thread starts with the
 * first and retires when idle. Errors: OperationalError `replay.busy`, `replay.timeout`, `log.unavailable`.
 */
import { OperationalError } from '../../model/errors.ts';
import type { ValuesByOwner } from '../../settings/snapshot.ts';
import type { Clock } from '../../world/clock.ts';
import { createWorkerClient } from '../../world/workers/client.ts';
import type { WorkerFailure } from '../../world/workers/failure.ts';
import { createPlainLine } from '../../world/workers/line.ts';
import { REPLAY_LIMITS } from './limits.ts';
import type { Replayable, ReplayReport } from './log.ts';
import type { ReplayQuestion, ReplayThreadData } from './thread.ts';

export interface ReplayRunner {
  /** `values`: all settings as they are tried. */
  run(range: Replayable, values: ValuesByOwner): Promise<ReplayReport>;
  /** Ends the thread; replays that are not over fail with `log.unavailable`. */
  close(): Promise<void>;
}

export interface ReplayRunnerOptions {
  /** Of log.db. */
  readonly path: string;
  readonly clock: Clock;
  readonly deadlineMs?: number;
}

export function createReplayRunner({
  path,
  clock,
  deadlineMs = REPLAY_LIMITS.deadlineMs,
}: ReplayRunnerOptions): ReplayRunner {
  const client = createWorkerClient<ReplayQuestion, ReplayReport>({
    clock,
    source: {
      module: new URL('./thread.ts', import.meta.url),
      workerData: { path } satisfies ReplayThreadData,
      name: 'replay',
    },
    line: createPlainLine(REPLAY_LIMITS.waiting),
    idleMs: REPLAY_LIMITS.idleMs,
    deadlineMs,
    failed,
  });
  return {
    run: (range, values) => client.run((ask) => ask({ ...range, values })),
    close: client.close,
  };
}

function failed(failure: WorkerFailure): OperationalError {
  switch (failure.kind) {
    case 'busy':
      return new OperationalError(
        'replay.busy',
        `cannot replay now, as replays waiting must be below ${failure.most}: there are ${failure.most}`,
      );
    case 'late':
      return new OperationalError(
        'replay.timeout',
        `cannot finish this replay, as it must end within ${failure.deadlineMs} ms: narrow it by time (--since)`,
      );
    case 'died': {
      const { cause } = failure;
      return new OperationalError('log.unavailable', `cannot replay, as its thread ended: ${String(cause)}`, { cause });
    }
    case 'closed':
      return new OperationalError('log.unavailable', 'cannot replay, as the node is stopping');
  }
}
