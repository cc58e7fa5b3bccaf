/**
 * Blobs in files (places.ts says where).
 *
 * A file is named by a random key, not by its hash: equal messages are two files, so that deleting
 * one never touches the other. What no row refers to is swept once it is old.
 */
import { join } from 'node:path';
import type { Clock } from '../../world/clock.ts';
import type { Disk } from '../../world/disk.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import type { Blobs } from '../contract.ts';
import { KEPT_BYTES, SWEEP_BATCH } from '../limits.ts';
import { createHealth } from '../sqlite/health.ts';
import { diskError, isFull } from './disk-error.ts';
import { fileContent } from './file-content.ts';
import { createMemoryBudget } from './memory-budget.ts';
import { createPlaces, isKey, pathOf as pathIn } from './places.ts';
import { createSlabs } from './slabs.ts';
import { ContentSpool, type SpoolParts } from './spool.ts';

export interface BlobParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly disk: Disk;
}

export async function openBlobs(folder: string, { clock, random, events, disk }: BlobParts): Promise<Blobs> {
  const root = join(folder, 'content');
  const damaged = join(folder, 'damaged');
  const health = createHealth('content', events, clock);
  const pathOf = (key: string): string => pathIn(root, key);
  await disk.ensureFolder(root);
  await disk.syncFolder(folder);

  const open: Blobs['open'] = (key, sizeBytes, sha256) => fileContent(disk, pathOf(key), sizeBytes, sha256);

  const slabs = createSlabs();
  const spoolParts: SpoolParts = {
    disk,
    slabs,
    memory: createMemoryBudget(KEPT_BYTES),
    place: createPlaces(root, disk, random),
    open,
    onFailure: (error) => health.failed(isFull(error) ? 'full' : 'unavailable', String(error)),
    onSuccess: health.succeeded,
  };

  return {
    spool: () => new ContentSpool(spoolParts),
    open,
    trim: slabs.trim,
    async delete(key) {
      try {
        await disk.remove(pathOf(key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(error, 'delete content');
      }
    },
    async setAside(key) {
      const to = join(damaged, key);
      try {
        await disk.ensureFolder(damaged);
        await disk.move(pathOf(key), to);
      } catch (error) {
        throw diskError(error, 'set content aside');
      }
      events.emit('content.set-aside', { key, to });
    },
    async sweep(olderThanMs, isReferenced) {
      const before = clock.now() - olderThanMs;
      const swept: string[] = [];
      for (const name of await disk.list(root)) {
        const keys = (await disk.list(join(root, name))).filter(isKey);
        for (let i = 0; i < keys.length; i += SWEEP_BATCH) {
          const old = await olderThan(disk, keys.slice(i, i + SWEEP_BATCH), pathOf, before);
          if (old.length === 0) continue;
          const referenced = await isReferenced(old);
          for (const key of old) {
            if (referenced.has(key)) continue;
            await disk.remove(pathOf(key)).catch(() => undefined);
            swept.push(key);
          }
        }
      }
      if (swept.length > 0) events.emit('content.swept', { files: swept.length });
      return swept;
    },
  };
}

async function olderThan(
  disk: Disk,
  keys: readonly string[],
  pathOf: (key: string) => string,
  before: number,
): Promise<string[]> {
  const old: string[] = [];
  for (const key of keys) {
    const entry = await disk.stat(pathOf(key)).catch(() => undefined);
    if (entry && entry.modifiedAt < before) old.push(key);
  }
  return old;
}
