/**
 * Copies a database into `backups/` before its schema is changed: whole or not there, under the version that
 * it had. Where there is no room for it nothing is changed, and the error says how much is missing.
 */
import { basename, dirname, join } from 'node:path';
import { backup, type DatabaseSync } from 'node:sqlite';
import { OperationalError } from '../../model/errors.ts';
import type { Disk } from '../../world/disk.ts';
import type { Events } from '../../world/events.ts';
import { COPY_STEP_PAGES } from '../limits.ts';

export interface CopyParts {
  readonly path: string;
  readonly database: DatabaseSync;
  readonly disk: Disk;
  readonly events: Events;
}

/** Errors: `store.no-room-for-backup`, and those of SQLite and the disk. */
export async function keepCopy({ path, database, disk, events }: CopyParts, version: number): Promise<void> {
  const folder = join(dirname(path), 'backups');
  await disk.ensureFolder(folder);
  const pages = database.prepare('pragma page_count').get() as { page_count: number };
  const size = database.prepare('pragma page_size').get() as { page_size: number };
  const sizeBytes = pages.page_count * size.page_size;
  const missingBytes = sizeBytes - (await disk.freeBytes(folder));
  if (missingBytes > 0) {
    throw new OperationalError(
      'store.no-room-for-backup',
      `cannot change the schema of ${path}, as there must be room for a copy of it first: ${missingBytes} bytes are missing in ${folder}`,
    );
  }
  const name = `${basename(path, '.db')}-version-${version}.db`;
  const file = join(folder, name);
  // Under another name until it is whole: a kill in between leaves no half of a copy that looks like one.
  const partial = `${name}.partial`;
  // Such a half, and SQLite's journal of it, are no database to copy into.
  for (const left of await disk.list(folder)) if (left.startsWith(partial)) await disk.remove(join(folder, left));
  await copyWhole({ path, database, disk }, join(folder, partial));
  await disk.move(join(folder, partial), file);
  await disk.syncFolder(folder);
  events.emit('store.backed-up', { file, sizeBytes });
}

/**
 * As a file, a quarter of the time of SQLite's own copy: all is in it once the log (WAL) is empty, and stays so
 * while nobody else may write. Where a reader keeps the log from being emptied, SQLite copies.
 */
async function copyWhole({ path, database, disk }: Omit<CopyParts, 'events'>, to: string): Promise<void> {
  const { busy } = database.prepare('pragma wal_checkpoint(truncate)').get() as { busy: number };
  database.exec('begin immediate');
  try {
    if (busy === 0 && (await isEmpty(disk, `${path}-wal`))) return await disk.copy(path, to);
  } finally {
    database.exec('rollback');
  }
  await backup(database, to, { rate: COPY_STEP_PAGES });
}

/** Or not there. */
async function isEmpty(disk: Disk, path: string): Promise<boolean> {
  try {
    return (await disk.stat(path)).sizeBytes === 0;
  } catch {
    return true;
  }
}
