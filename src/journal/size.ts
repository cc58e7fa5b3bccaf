/**
 * How large log.db may be, and how large it is: pages in use, as those of deleted rows are used again.
 *
 * While `log.maxBytes` has its default, the bound is the largest of 10 GiB (half of a disk that is smaller
 * than 20), a fifth of the disk, and twice what the log held when this version opened it first: a log that
 * grew before there was a bound is not cut. While the disk is nearly full, a part of the file is to be free
 * for new rows, so that it does not grow.
 */
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { diskSpace, isNearlyFull } from '../world/disk-space.ts';
import { DEFAULT_LOG_BYTES, NEARLY_FULL_SHARE } from './limits.ts';

export function usedBytes(db: DatabaseSync): number {
  return (pragma(db, 'page_count') - pragma(db, 'freelist_count')) * pragma(db, 'page_size');
}

function pragma(db: DatabaseSync, name: 'page_count' | 'freelist_count' | 'page_size'): number {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() as object)[0] as number;
}

export interface LogBounds {
  /** What it may have. */
  readonly maxBytes: number;
  /** Beyond it rows of refused transactions go: less where the disk is nearly full. */
  readonly trimBytes: number;
}

/** `said`: undefined for the default. */
export function logBounds(db: DatabaseSync, path: string, said: number | undefined): LogBounds {
  const space = diskSpace(dirname(path));
  const maxBytes = said ?? defaultBytes(db, space.sizeBytes);
  if (!isNearlyFull(space)) return { maxBytes, trimBytes: maxBytes };
  const fileBytes = pragma(db, 'page_count') * pragma(db, 'page_size');
  return { maxBytes, trimBytes: Math.min(maxBytes, Math.floor(NEARLY_FULL_SHARE * fileBytes)) };
}

function defaultBytes(db: DatabaseSync, diskBytes: number): number {
  const { bytes: held } = db.prepare('SELECT bytes FROM held').get() as { bytes: number };
  return Math.floor(Math.max(Math.min(DEFAULT_LOG_BYTES, diskBytes / 2), diskBytes / 5, 2 * held));
}
