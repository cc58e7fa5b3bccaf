/**
 * Replays the log under other settings in a thread of its own, one replay at a time: it starts, reads,
 * answers and ends. Errors: OperationalError `replay.busy`, `replay.timeout`, `log.unavailable`.
 */
import { Worker } from 'node:worker_threads';
import { OperationalError } from '../../model/errors.ts';
import type { ValuesByOwner } from '../../settings/snapshot.ts';
import type { Clock } from '../../world/clock.ts';
import { REPLAY_LIMITS } from './limits.ts';
import type { Replayable, ReplayReport } from './log.ts';
import type { FromReplay, ReplayTask } from './thread.ts';

export interface ReplayRunner {
  /** `values`: all settings as they are tried. */
  run(range: Replayable, values: ValuesByOwner): Promise<ReplayReport>;
  /** Ends a replay that runs; it fails with `log.unavailable`. */
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
  let running: Worker | undefined;

  return {
    async run(range, values) {
      if (running)
        throw new OperationalError('replay.busy', 'cannot replay, as one replay at a time can run: wait for the other');
      const workerData: ReplayTask = { ...range, path, values };
      const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData, name: 'replay' });
      running = thread;
      try {
        return await answerOf(thread, clock, deadlineMs);
      } finally {
        running = undefined;
        void thread.terminate();
      }
    },
    async close() {
      await running?.terminate();
    },
  };
}

function answerOf(thread: Worker, clock: Clock, deadlineMs: number): Promise<ReplayReport> {
  return new Promise((resolve, reject) => {
    const deadline = clock.after(deadlineMs, () =>
      reject(
        new OperationalError(
          'replay.timeout',
          `cannot finish this replay, as it must end within ${deadlineMs} ms: narrow it by time (--since)`,
        ),
      ),
    );
    const end = (settle: () => void): void => {
      deadline.cancel();
      settle();
    };
    const failed = (text: string): OperationalError =>
      new OperationalError('log.unavailable', `cannot replay: ${text}`);
    thread.once('message', (answer: FromReplay) =>
      end(() =>
        'report' in answer ? resolve(answer.report) : reject(new OperationalError(answer.code, answer.message)),
      ),
    );
    thread.once('error', (error) => end(() => reject(failed(String(error)))));
    thread.once('exit', () => end(() => reject(failed('its thread ended'))));
  });
}
