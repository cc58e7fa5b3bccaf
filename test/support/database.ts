/** The database seam over SQLite in memory: the promises of store/contract.ts without a thread or a disk. */
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { Kysely, SqliteDialect } from 'kysely';
import { OperationalError } from '../../src/model/errors.ts';
import { createChangeBus } from '../../src/store/changes.ts';
import type { Database, Row, SqlValue, Statement, WriteResult } from '../../src/store/contract.ts';
import type { StoreMigration } from '../../src/store/migration.ts';
import { postgresDatabase } from './postgres.ts';

export interface MemoryDatabase extends Database {
  /** How many units were written so far. */
  readonly units: () => number;
  /** Lets the next units fail, as a full disk would. */
  fail(error: OperationalError | undefined): void;
}

export async function memoryDatabase(
  t: Pick<TestContext, 'after'>,
  ...migrations: readonly StoreMigration[]
): Promise<MemoryDatabase> {
  const socket = process.env['POSTERN_TEST_POSTGRES'];
  if (socket !== undefined) return overPostgres(t, socket, migrations);
  const sqlite = new DatabaseSync(':memory:');
  t.after(() => sqlite.close());
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: driver(sqlite) }) });
  for (const migration of migrations) await migration.up(kysely, 'sqlite');
  let failure: OperationalError | undefined;
  let units = 0;
  const changes = createChangeBus();
  const cache = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const prepared = (sql: string) => {
    const found = cache.get(sql) ?? sqlite.prepare(sql);
    cache.set(sql, found);
    return found;
  };
  const readNow = ({ sql, parameters }: Statement): readonly Row[] =>
    prepared(sql).all(...(parameters as SqlValue[])) as Row[];

  const one = ({ sql, parameters, expect }: Statement): WriteResult => {
    const found = prepared(sql);
    const before = sqlite.prepare('SELECT total_changes() AS n').get() as { n: number };
    const rows = found.all(...(parameters as SqlValue[])) as Row[];
    const after = sqlite.prepare('SELECT total_changes() AS n').get() as { n: number };
    if (expect === 'changed' && after.n === before.n) throw new OperationalError('store.expectation', sql);
    return { changes: after.n - before.n, rows };
  };

  return {
    dialect: 'sqlite',
    units: () => units,
    fail: (error) => {
      failure = error;
    },
    readNow,
    read: async (statement) => readNow(statement),
    scan: async (statement) => readNow(statement),
    async write(unit) {
      if (failure) throw failure;
      sqlite.exec('BEGIN');
      try {
        const results = unit.map(one);
        sqlite.exec('COMMIT');
        units++;
        await changes.publish(changes.heardOf(unit));
        return results;
      } catch (error) {
        sqlite.exec('ROLLBACK');
        if (error instanceof OperationalError) throw error;
        throw new OperationalError('store.constraint', (error as Error).message, { cause: error });
      }
    },
    changes,
    close: async () => {},
  };
}

/** The same tests with the other dialect, which never reads synchronously (test/system/postgres.test.ts). */
async function overPostgres(
  t: Pick<TestContext, 'after'>,
  socket: string,
  migrations: readonly StoreMigration[],
): Promise<MemoryDatabase> {
  const database = await postgresDatabase(t, socket, migrations);
  let failure: OperationalError | undefined;
  let units = 0;
  return {
    ...database,
    units: () => units,
    fail: (error) => {
      failure = error;
    },
    async write(unit) {
      if (failure) throw failure;
      const results = await database.write(unit);
      units++;
      return results;
    },
  };
}

/** As much of a driver as migrations use. */
function driver(sqlite: DatabaseSync): ConstructorParameters<typeof SqliteDialect>[0]['database'] {
  return {
    close: () => undefined,
    prepare(sql) {
      const statement = sqlite.prepare(sql);
      return {
        reader: false,
        all: () => [],
        run: () => statement.run(),
        iterate: () => [][Symbol.iterator](),
      };
    },
  };
}
