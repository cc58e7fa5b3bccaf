/**
 * Where batches run: in a thread (the default: an fsync never stops the loop) or in the loop itself
 * (for tools that do nothing else meanwhile). One request at a time; the writer sees to that.
 */
import { startThread } from '../../world/workers/thread.ts';
import { THREAD_YOUNG_MB } from '../limits.ts';
import { createBatchEncoder } from './batch-wire.ts';
import { messageOf } from './failure.ts';
import { type BatchOutcome, createUnitRunner, type Reopened, type Unit } from './units.ts';
import type { WriterRequest } from './writer-thread.ts';

export interface Executor {
  run(units: readonly Unit[], done: (outcome: BatchOutcome) => void): void;
  reopen(): Promise<Reopened>;
  close(): Promise<void>;
}

export function loopExecutor(path: string): Executor {
  const runner = createUnitRunner(path);
  return {
    run: (units, done) => done(runner.run(units)),
    reopen: async () => runner.reopen(),
    close: async () => runner.close(),
  };
}

type Reply = BatchOutcome | Reopened | 'closed';

export function threadExecutor(path: string): Executor {
  let thread = startWriter(path);
  return {
    run(units, done) {
      thread.send(thread.encode(units), (reply) => done(reply as BatchOutcome));
    },
    reopen() {
      if (thread.ended()) thread = startWriter(path);
      return new Promise((resolve) => thread.send('reopen', (reply) => resolve(reply as Reopened)));
    },
    close() {
      if (thread.ended()) return Promise.resolve();
      return new Promise((resolve) => thread.send('close', () => resolve()));
    },
  };
}

interface Writer {
  readonly encode: ReturnType<typeof createBatchEncoder>;
  ended(): boolean;
  send(request: WriterRequest, answer: (reply: Reply) => void): void;
}

/** A thread that dies answers the request it had with a failure: the writer then starts another. */
function startWriter(path: string): Writer {
  let waiting: ((reply: Reply) => void) | undefined;
  let ended: { readonly said: string } | undefined;
  const answer = (reply: Reply): void => {
    const to = waiting;
    waiting = undefined;
    to?.(reply);
  };
  const failed = ({ said }: { readonly said: string }): void => answer({ kind: 'failed', failure: 'broken', said });
  const thread = startThread<Reply>(
    {
      module: new URL('./writer-thread.ts', import.meta.url),
      workerData: { path },
      name: 'writer',
      resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MB },
    },
    {
      onMessage: answer,
      onEnd(cause) {
        ended = { said: messageOf(cause) };
        failed(ended);
      },
    },
  );
  // The process ends when the writer was closed, not before.
  thread.hold(true);
  return {
    encode: createBatchEncoder(),
    ended: () => ended !== undefined,
    send(request, to) {
      waiting = to;
      if (ended) failed(ended);
      else thread.post(request, typeof request === 'string' ? [] : [request.block]);
    },
  };
}
