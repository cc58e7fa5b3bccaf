/**
 * The event loop's side of one thread: posts messages to it, receives its messages, and reports its end once,
 * whatever ended it: a throw, `process.exit`, a full heap, or `terminate`.
 *
 * The process does not wait for a thread unless `hold` says so.
 */
import { type Transferable, Worker, type WorkerOptions } from 'node:worker_threads';

export interface Thread {
  post(message: unknown, transfer?: readonly Transferable[]): void;
  /** Whether the process must not end before this thread has answered. */
  hold(isHeld: boolean): void;
  /** Resolves when the thread has ended; `onEnd` is called, too. */
  terminate(): Promise<void>;
}

export interface ThreadListeners<Message> {
  onMessage(message: Message): void;
  /** `cause`: what the thread threw, or an Error that says that it ended by itself. */
  onEnd(cause: unknown): void;
}

export interface ThreadSource extends Pick<WorkerOptions, 'name' | 'workerData' | 'resourceLimits'> {
  /** The module that the thread runs. */
  readonly module: URL;
}

export function startThread<Message>(
  { module, ...options }: ThreadSource,
  { onMessage, onEnd }: ThreadListeners<Message>,
): Thread {
  const worker = new Worker(module, options);
  let cause: unknown = new Error(`the thread ${options.name ?? module.pathname} ended`);
  worker.unref();
  worker.on('message', onMessage);
  // Always followed by `exit`.
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', () => onEnd(cause));
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    hold: (isHeld) => (isHeld ? worker.ref() : worker.unref()),
    terminate: async () => void (await worker.terminate()),
  };
}
