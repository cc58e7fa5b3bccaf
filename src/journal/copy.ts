/**
 * Copies log.db into `backups/` if this version is going to change its schema, before anything in the data
 * folder is changed. A file that cannot be read is left to the writer, which sets it aside. Errors:
 * `store.no-room-for-backup`.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { keepCopy } from '../store/sqlite/keep-copy.ts';
import { type Disk, systemDisk } from '../world/disk.ts';
import type { Events } from '../world/events.ts';
import { SCHEMA_VERSION } from './schema.ts';

export async function copyLogBeforeMigration(path: string, events: Events, disk: Disk = systemDisk): Promise<void> {
  if (!existsSync(path)) return;
  const found = openOrNothing(path);
  if (!found) return;
  try {
    if (found.version > 0 && found.version < SCHEMA_VERSION)
      await keepCopy({ path, database: found.database, disk, events }, found.version);
  } finally {
    found.database.close();
  }
}

function openOrNothing(path: string) {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 1_000 });
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    return { database, version };
  } catch {
    database?.close();
    return undefined;
  }
}
