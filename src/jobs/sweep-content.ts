/**
 * Content files that no message needs: what a crash left between a file and its row. Only what is
 * older than any session could be is looked at, since a session's content has no row yet.
 */
import type { Blobs } from '../store/contract.ts';
import { SWEEP_AGE_MS, SWEEP_EVERY_MS } from './limits.ts';
import type { Job } from './scheduler.ts';

export interface SweepServices {
  readonly blobs: Pick<Blobs, 'sweep'>;
  readonly queue: { referencedBlobs(keys: readonly string[]): Promise<ReadonlySet<string>> };
}

export function sweepContentJob({ blobs, queue }: SweepServices): Job {
  return {
    name: 'sweep-content',
    next: () => SWEEP_EVERY_MS,
    async run() {
      await blobs.sweep(SWEEP_AGE_MS, queue.referencedBlobs);
    },
  };
}
