/**
 * How much room a disk has, and when that is too little: early enough for an administrator to act, and never for the
 * size of the disk alone. Throws the errors of the file system.
 */
import { statfsSync } from 'node:fs';
import { NEARLY_FULL } from './limits.ts';

export interface DiskSpace {
  /** For this user. */
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

export function diskSpace(folder: string): DiskSpace {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

export function isNearlyFull({ freeBytes, sizeBytes }: DiskSpace): boolean {
  return freeBytes < Math.min(sizeBytes / NEARLY_FULL.share, NEARLY_FULL.bytes);
}
