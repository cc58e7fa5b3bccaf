/**
 * Hashes of large bodies in a thread, so that nobody else waits for them; small ones at once. The thread
 * starts with the first large body and ends when there was none for a while. Each body has one chunk
 * under way, so a thousand at once hold a thousand chunks.
 *
 * Errors: those of `ContentRef.open`; a thread that cannot start or ends is a defect.
 */
import { Worker } from 'node:worker_threads';
import type { ContentRef } from '../../../../model/content.ts';
import { bodyHashes, type HashedBody, type WantedHash } from '../../../../protocol/dkim/body-hashes.ts';
import type { Clock, TimerHandle } from '../../../../world/clock.ts';
import { AUTHENTICATION_LIMITS } from '../limits.ts';

export type BodyOrder = { readonly body: number } & (
  | { readonly kind: 'begin'; readonly wanted: readonly WantedHash[] }
  | { readonly kind: 'chunk'; readonly chunk: Uint8Array }
  | { readonly kind: 'end' | 'forget' }
);

export interface BodyAnswer {
  readonly body: number;
  readonly isDone?: true;
  readonly hashed?: readonly HashedBody[];
}

export async function hashBody(
  content: ContentRef,
  start: number,
  wanted: readonly WantedHash[],
  clock: Clock,
): Promise<readonly HashedBody[]> {
  const { bytes, sizeBytes } = content;
  if (sizeBytes - start > AUTHENTICATION_LIMITS.bodyOnLoopBytes) return inThread(content, start, wanted, clock);
  const hashes = bodyHashes(wanted);
  if (bytes) hashes.push(bytes.subarray(start));
  else if (start < sizeBytes) {
    for await (const chunk of content.open({ start, end: sizeBytes })) {
      hashes.push(chunk as Uint8Array);
      if (hashes.isDone()) break;
    }
  }
  return hashes.end();
}

interface Thread {
  /** Answered in order: at most one order a body is under way. */
  ask(order: BodyOrder): Promise<BodyAnswer>;
  begin(): number;
  end(): void;
}

let running: Thread | undefined;

async function inThread(
  content: ContentRef,
  start: number,
  wanted: readonly WantedHash[],
  clock: Clock,
): Promise<readonly HashedBody[]> {
  running ??= startThread(clock);
  const thread = running;
  const body = thread.begin();
  let isOver = false;
  try {
    await thread.ask({ body, kind: 'begin', wanted });
    for await (const chunk of content.open({ start, end: content.sizeBytes })) {
      // A copy: the chunk may be a part of somebody's buffer.
      const { isDone } = await thread.ask({ body, kind: 'chunk', chunk: Uint8Array.from(chunk as Uint8Array) });
      if (isDone) break;
    }
    const { hashed } = await thread.ask({ body, kind: 'end' });
    isOver = true;
    return hashed!;
  } finally {
    if (!isOver) thread.ask({ body, kind: 'forget' }).catch(() => {});
    thread.end();
  }
}

function startThread(clock: Clock): Thread {
  const worker = new Worker(new URL('./body-thread.ts', import.meta.url));
  const waiting = new Map<number, PromiseWithResolvers<BodyAnswer>>();
  let bodies = 0;
  let last = 0;
  let ended: Error | undefined;
  let retirement: TimerHandle | undefined;
  const fail = (error: Error): void => {
    ended ??= error;
    if (running === thread) running = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (answer: BodyAnswer) => {
    waiting.get(answer.body)?.resolve(answer);
    waiting.delete(answer.body);
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that hashes bodies ended')));
  worker.unref();

  const thread: Thread = {
    ask(order) {
      if (ended) return Promise.reject(ended);
      const answer = Promise.withResolvers<BodyAnswer>();
      waiting.set(order.body, answer);
      worker.postMessage(order, order.kind === 'chunk' ? [order.chunk.buffer as ArrayBuffer] : []);
      return answer.promise;
    },
    begin() {
      retirement?.cancel();
      // A process that only waits for a hash must not end before it.
      if (bodies++ === 0) worker.ref();
      return ++last;
    },
    end() {
      if (--bodies > 0) return;
      worker.unref();
      retirement = clock.after(AUTHENTICATION_LIMITS.bodyThreadIdleMs, () => {
        if (bodies > 0) return;
        if (running === thread) running = undefined;
        void worker.terminate();
      });
    },
  };
  return thread;
}
