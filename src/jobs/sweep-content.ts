/**
 * Deletes content files that no message needs: those left by a crash between a file and its row. Only files older
 * than any session are checked, since a session's content has no row yet.
 */
import type { Blobs } from '../store/contract.ts';
import { SWEEP_AGE_MS, SWEEP_EVERY_MS } from './limits.ts';
import type { Job } from './scheduler.ts';

/** A room that stores files must be listed here, so that the sweep cannot forget to ask it. */
export type ContentRoom = 'queue';

export interface SweepServices {
  readonly blobs: Pick<Blobs, 'sweep'>;
  /**
   * Every room that stores files, and the files that it needs: a file is deleted if no room needs it, and never while
   * a room cannot tell.
   */
  readonly rooms: Readonly<
    Record<ContentRoom, { referencedBlobs(keys: readonly string[]): Promise<ReadonlySet<string>> }>
  >;
  readonly owners: { sweepMessages(): Promise<void> };
}

export function sweepContentJob({ blobs, rooms, owners }: SweepServices): Job {
  return {
    name: 'sweep-content',
    // Content files lie in the node's own folder.
    onEveryNode: true,
    next: () => SWEEP_EVERY_MS,
    async run() {
      await owners.sweepMessages();
      await blobs.sweep(SWEEP_AGE_MS, async (keys) => {
        const needed = await Promise.all(Object.values(rooms).map((room) => room.referencedBlobs(keys)));
        return new Set(needed.flatMap((of) => [...of]));
      });
    },
  };
}
