/**
 * Checks the free space of the data folder's disk, and warns once when it becomes low: without space no mail is
 * accepted.
 */
import { type DiskSpace, diskSpace, isNearlyFull } from '../world/disk-space.ts';
import type { Events } from '../world/events.ts';
import { WATCH_DISK_EVERY_MS } from './limits.ts';
import type { Job } from './scheduler.ts';

export interface WatchDiskServices {
  readonly folder: string;
  readonly events: Events;
  /** Tests imitate a disk. */
  readonly space?: (folder: string) => DiskSpace;
}

export interface WatchDiskJob extends Job {
  /** The current problems, for people. */
  warnings(): readonly string[];
}

export function watchDiskJob({ folder, events, space = diskSpace }: WatchDiskServices): WatchDiskJob {
  let low: DiskSpace | undefined;
  return {
    name: 'watch-disk',
    onEveryNode: true,
    next: () => WATCH_DISK_EVERY_MS,
    async run() {
      const found = space(folder);
      const was = low;
      low = isNearlyFull(found) ? found : undefined;
      if (low && !was) events.emit('store.nearly-full', { folder, ...low });
      if (!low && was) events.emit('store.roomy', { folder, freeBytes: found.freeBytes });
    },
    warnings: () => (low ? [`the disk is nearly full: ${low.freeBytes} of ${low.sizeBytes} bytes are free`] : []),
  };
}
