/**
 * Opens a data folder: the lock, the database brought up to date, the content files.
 *
 * Fails with OperationalError: `store.locked` (another node has it), `store.schema-newer`,
 * `store.no-room-for-backup`, `store.corrupt` (the database is left where it is, so that nothing is
 * lost behind anyone's back), `store.folder`, `store.full`, `store.unavailable`.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isOperational } from '../model/errors.ts';
import type { Clock } from '../world/clock.ts';
import { type Disk, systemDisk } from '../world/disk.ts';
import type { Events } from '../world/events.ts';
import type { Random } from '../world/random.ts';
import { openBlobs } from './blobs/open.ts';
import type { Blobs, Counters, Database, Ledger } from './contract.ts';
import { createCounters } from './counters.ts';
import { folderError } from './folder-error.ts';
import { openLedger } from './ledger/ledger.ts';
import { QUICK_CHECK_BYTES } from './limits.ts';
import { type FolderLock, lockFolder } from './lock.ts';
import { type Schema, type StoreMigration, schemaOf } from './migration.ts';
import { closeToOthers, insistOnOwnFolder, makeClosed } from './owner-only.ts';
import { connect } from './sqlite/connection.ts';
import { openSqlite } from './sqlite/database.ts';
import { corruptError, failureOf, isDenied, messageOf, storeError } from './sqlite/failure.ts';
import { createHealth } from './sqlite/health.ts';
import { migrate } from './sqlite/migrate.ts';
import { findDamage } from './sqlite/units.ts';

export interface StoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  /** Of every room, in any order. */
  readonly migrations: readonly StoreMigration[];
  readonly disk?: Disk;
  /** Once the folder is ours, before a database in it is changed; what it throws ends the start. */
  readonly beforeChanges?: () => Promise<void>;
  /** Where transactions run; tools that do nothing else take `loop` and spare a thread. */
  readonly writer?: 'thread' | 'loop';
}

export interface Store {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly counters: Counters;
  readonly ledger: Ledger;
  close(): Promise<void>;
}

export async function openStore(folder: string, options: StoreOptions): Promise<Store> {
  const { clock, random, events, disk = systemDisk, writer = 'thread' } = options;
  const schema = schemaOf(options.migrations);
  const path = join(folder, 'state.db');
  let lock: FolderLock | undefined;
  try {
    await disk.ensureFolder(folder);
    insistOnOwnFolder(folder);
    closeToOthers(folder);
    lock = lockFolder(folder);
    const { release } = lock;
    await options.beforeChanges?.();
    await prepareFile(path, schema, disk, events);
    const blobs = await openBlobs(folder, { clock, random, events, disk });
    const health = createHealth('ledger', events, clock);
    const ledger = await openLedger({ folder, disk, random, events, health });
    const database = openSqlite({
      path,
      writer,
      clock,
      health: createHealth('database', events, clock),
      onCorrupt: (detail) => events.emit('store.corrupt', { file: path, detail }),
    });
    let closed: Promise<void> | undefined;
    return {
      database,
      blobs,
      counters: createCounters(clock),
      ledger,
      close() {
        closed ??= ledger
          .close()
          .then(() => database.close())
          .finally(release);
        return closed;
      },
    };
  } catch (error) {
    lock?.release();
    const refusal = refusalOf(error, path);
    tellRefusal(refusal, path, events);
    throw refusal;
  }
}

/** What somebody should be woken for: a failed start is in the log, too. */
function tellRefusal(refusal: unknown, path: string, events: Events): void {
  if (isOperational(refusal, 'store.corrupt')) events.emit('store.corrupt', { file: path, detail: refusal.message });
  if (isOperational(refusal, 'store.full')) events.emit('store.full', { part: 'database', detail: refusal.message });
}

/** Checked after a crash, created and migrated before anything else sees it. */
async function prepareFile(path: string, schema: Schema, disk: Disk, events: Events): Promise<void> {
  const unclean = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
  makeClosed(path);
  const connection = connect(path, { readOnly: false });
  try {
    if (unclean) {
      const damage = findDamage(connection, path);
      if (damage) throw corruptError('open', path, damage);
      events.emit('store.unclean', { file: path, checked: statSync(path).size <= QUICK_CHECK_BYTES });
    }
    await migrate({ path, database: connection.database, schema, disk, events });
  } finally {
    connection.close();
  }
}

function refusalOf(error: unknown, path: string): unknown {
  if (isOperational(error)) return error;
  if ((error as NodeJS.ErrnoException).syscall !== undefined || isDenied(error))
    return folderError(dirname(path), error);
  const failure = failureOf(error);
  if (failure === 'corrupt') return corruptError('open', path, messageOf(error));
  return failure === 'defect' ? error : storeError(failure, 'open the database', messageOf(error), path);
}
