/**
 * Brings a database's schema up to date before anyone uses it.
 *
 * A database of a newer node is used as it is where its `minReader` allows, else refused
 * (`store.schema-newer`). An older one is copied first (`backups/`); where there is no room for the
 * copy it refuses and says how much is missing (`store.no-room-for-backup`). All migrations are one transaction.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { OperationalError } from '../../model/errors.ts';
import type { Disk } from '../../world/disk.ts';
import type { Events } from '../../world/events.ts';
import { CACHE_KB, MIGRATION_CACHE_KB, MIGRATION_MAPPED_BYTES } from '../limits.ts';
import type { Schema } from '../migration.ts';
import { keepCopy } from './keep-copy.ts';

interface Stored {
  readonly version: number;
  readonly minReader: number;
}

export interface MigrateParts {
  readonly path: string;
  readonly database: DatabaseSync;
  readonly schema: Schema;
  readonly disk: Disk;
  readonly events: Events;
}

export async function migrate(parts: MigrateParts): Promise<void> {
  const { path, database, schema, events } = parts;
  const stored = storedSchema(database);
  if (stored.minReader > schema.version) {
    throw new OperationalError(
      'store.schema-newer',
      `cannot open ${path}, as its schema must be readable by this version: it needs version ${stored.minReader}, this is ${schema.version}. Start the newer Postern that wrote it`,
    );
  }
  if (stored.version >= schema.version) return;
  if (stored.version > 0) await keepCopy(parts, stored.version);
  // Tables are written anew and indexes are made: with a small cache each page would go to the log many times.
  database.exec(`pragma cache_size = -${MIGRATION_CACHE_KB}; pragma mmap_size = ${MIGRATION_MAPPED_BYTES}`);
  // Whole or not at all: a kill in between leaves the old schema, and its copy is made anew of that.
  database.exec('begin immediate');
  try {
    await run(database, schema);
    database
      .prepare('update schema set version = ?, min_reader = max(min_reader, ?)')
      .run(schema.version, schema.minReader);
    database.exec('commit');
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    throw error;
  } finally {
    database.exec(`pragma cache_size = -${CACHE_KB}; pragma mmap_size = 0`);
  }
  if (stored.version > 0) events.emit('store.migrated', { from: stored.version, to: schema.version });
}

/** `probes` is what the writer changes to prove that the disk takes writes. */
function storedSchema(database: DatabaseSync): Stored {
  database.exec('create table if not exists schema (version integer, min_reader integer, probes integer)');
  const row = database.prepare('select version, min_reader as minReader from schema').get();
  if (row) return row as unknown as Stored;
  database.exec('insert into schema values (0, 1, 0)');
  return { version: 0, minReader: 1 };
}

async function run(database: DatabaseSync, { migrations }: Schema): Promise<void> {
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
  const provider = {
    getMigrations: async () =>
      Object.fromEntries(
        migrations.map(({ name, up }) => [name, { up: (within: Kysely<unknown>) => up(within, 'sqlite') }]),
      ),
  };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error) throw error;
}

/** What kysely wants of a driver, in terms of node:sqlite. */
function kyselyDatabase(database: DatabaseSync): ConstructorParameters<typeof SqliteDialect>[0]['database'] {
  return {
    close: () => undefined,
    prepare(sql: string) {
      const statement = database.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...(values as SQLInputValue[])),
        run: (values: readonly unknown[]) => statement.run(...(values as SQLInputValue[])),
        iterate: (values: readonly unknown[]) => statement.iterate(...(values as SQLInputValue[])),
      };
    },
  };
}
