/**
 * Hashes of large bodies in a thread, so that no other work waits for them; small ones at once. The thread starts
 * with the first large body and ends after a while without one. Each body has one chunk under way, so a thousand at
 * once hold a thousand chunks.
 *
 * Errors: those of `ContentRef.open`; the signal's reason; a thread that cannot start or ends is a defect.
 */
import { addAbortSignal } from 'node:stream';
import type { ContentRef } from '../../../../model/content.ts';
import { bodyHashes, type HashedBody, type WantedHash } from '../../../../protocol/dkim/body-hashes.ts';
import type { Clock } from '../../../../world/clock.ts';
import { type Ask, createWorkerClient, type WorkerClient } from '../../../../world/workers/client.ts';
import { type WorkerFailure, workerError } from '../../../../world/workers/failure.ts';
import { createPlainLine } from '../../../../world/workers/line.ts';
import { AUTHENTICATION_LIMITS } from '../limits.ts';

/** In this order; one `chunk` for each chunk. */
export type BodyQuestion =
  | { readonly kind: 'begin'; readonly wanted: readonly WantedHash[] }
  | { readonly kind: 'chunk'; readonly chunk: Uint8Array }
  | { readonly kind: 'end' };

export interface BodyAnswer {
  /** No hash needs another chunk. */
  readonly isDone?: boolean;
  /** The answer to `end`. */
  readonly hashed?: readonly HashedBody[];
}

export async function hashBody(
  content: ContentRef,
  start: number,
  wanted: readonly WantedHash[],
  clock: Clock,
  signal?: AbortSignal,
): Promise<readonly HashedBody[]> {
  const { bytes, sizeBytes } = content;
  if (sizeBytes - start > AUTHENTICATION_LIMITS.bodyOnLoopBytes) return inThread(content, start, wanted, clock, signal);
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

function inThread(
  content: ContentRef,
  start: number,
  wanted: readonly WantedHash[],
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<readonly HashedBody[]> {
  const work = async (ask: Ask<BodyQuestion, BodyAnswer>): Promise<readonly HashedBody[]> => {
    await ask({ kind: 'begin', wanted });
    const body = content.open({ start, end: content.sizeBytes });
    // A hanging disk is waited for within the same bound as everything else.
    if (signal) addAbortSignal(signal, body);
    for await (const chunk of body) {
      // A copy: the chunk may be a part of a shared buffer.
      const copy = Uint8Array.from(chunk as Uint8Array);
      const { isDone } = await ask({ kind: 'chunk', chunk: copy }, [copy.buffer]);
      if (isDone) break;
    }
    const { hashed } = await ask({ kind: 'end' });
    return hashed!;
  };
  return clientOf(clock).run(work, undefined, signal);
}

/** One thread for a node, which has one clock. */
const clients = new WeakMap<Clock, WorkerClient<BodyQuestion, BodyAnswer>>();

function clientOf(clock: Clock): WorkerClient<BodyQuestion, BodyAnswer> {
  const running = clients.get(clock);
  if (running) return running;
  const client = createWorkerClient<BodyQuestion, BodyAnswer>({
    clock,
    source: { module: new URL('./body-thread.ts', import.meta.url), name: 'body-hashing' },
    line: createPlainLine(AUTHENTICATION_LIMITS.bodiesWaiting),
    jobsPerThread: AUTHENTICATION_LIMITS.bodiesAtOnce,
    idleMs: AUTHENTICATION_LIMITS.bodyThreadIdleMs,
    failed,
  });
  clients.set(clock, client);
  return client;
}

function failed(failure: WorkerFailure): Error {
  return failure.kind === 'died' && failure.cause instanceof Error ? failure.cause : workerError(failure);
}
