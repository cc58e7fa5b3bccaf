/**
 * One node a folder: a SQLite file held exclusively for the life of the process.
 *
 * The kernel frees the lock with the process, however it ends, so there is no PID file to go stale.
 * Errors: OperationalError `store.locked`, those of folder-error.ts, and the file system's own.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OperationalError } from '../model/errors.ts';
import { folderError } from './folder-error.ts';
import { makeClosed } from './owner-only.ts';
import { failureOf } from './sqlite/failure.ts';

export interface FolderLock {
  release(): void;
}

export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock.db');
  makeClosed(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (cause) {
    database?.close();
    const failure = failureOf(cause);
    if (failure === 'busy')
      throw new OperationalError(
        'store.locked',
        `cannot open the data folder, as no other node may be using it: ${path} is held by another process`,
        { cause },
      );
    throw failure === 'defect' ? cause : folderError(folder, cause);
  }
  const held = database;
  return { release: () => held.close() };
}
