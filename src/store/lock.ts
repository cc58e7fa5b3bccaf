/**
 * One node a folder: a SQLite file held exclusively for the life of the process.
 *
 * The kernel frees the lock with the process, however it ends, so there is no PID file to go stale.
 * Errors: OperationalError `store.locked`.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperationalError } from '../model/errors.ts';

export interface FolderLock {
  release(): void;
}

export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock.db');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (cause) {
    database.close();
    if (((cause as { errcode?: number }).errcode ?? 0) % 256 !== 5) throw cause;
    throw new OperationalError(
      'store.locked',
      `cannot open the data folder, as no other node may be using it: ${path} is held by another process`,
      { cause },
    );
  }
  return { release: () => database.close() };
}
