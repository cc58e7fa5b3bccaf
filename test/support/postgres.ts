/**
 * Debian's PostgreSQL on a socket in a folder of its own, and the database seam over it: the same migrations and
 * statements as over SQLite, in the other dialect. It never reads synchronously (`readNow`), as a pool cannot.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { OperationalError } from '../../src/model/errors.ts';
import { createChangeBus, published } from '../../src/store/changes.ts';
import type { Database, Row, Statement, WriteResult } from '../../src/store/contract.ts';
import type { StoreMigration } from '../../src/store/migration.ts';

const [BIN] = globSync('/usr/lib/postgresql/*/bin').sort().reverse();
const USER = 'postern';
/** PostgreSQL refuses to run as root. */
const AS = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
const INT8 = 20;
const CHANNEL = 'changes';
/** It starts within a second, on a busy machine within some. */
const LOOK_EVERY_MS = 100;
const TRIES = 300;

/** Why it cannot run here; false: it can. */
export function missingPostgres(): string | false {
  return BIN !== undefined && spawnSync(`${BIN}/postgres`, ['--version']).status === 0
    ? false
    : 'Debian package postgresql is missing';
}

/** Returns the folder of its socket. */
export async function startPostgres(t: { after(end: () => unknown): void }): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-postgres-'));
  const data = join(folder, 'data');
  chmodSync(folder, 0o700);
  if (AS.length > 0) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout),
    );
    chownSync(folder, uid!, gid!);
  }
  const run = (command: readonly string[]) => [...AS, ...command] as [string, ...string[]];
  const [initdb, ...made] = run([`${BIN}/initdb`, '-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-sync']);
  const { status, stderr } = spawnSync(initdb, made, { encoding: 'utf8', cwd: '/' });
  if (status !== 0) throw new Error(`initdb exited ${status}: ${stderr}`);
  const options = ['-c', 'listen_addresses=', '-c', 'fsync=off', '-k', folder];
  const [command, ...args] = run([`${BIN}/postgres`, '-D', data, ...options]);
  const server = spawn(command, args, { stdio: 'ignore', cwd: '/' });
  const ended = once(server, 'exit');
  t.after(async () => {
    const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    // A fast shutdown: connections are cut.
    process.kill(Number(pid), 'SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ host: folder, user: USER, database: 'postgres' });
    try {
      await client.connect();
      await client.end();
      return folder;
    } catch (error) {
      if (tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

let databases = 0;

/** A database over one connection, and its name for further ones. */
export interface PostgresDatabase extends Database {
  readonly client: pg.Client;
  readonly name: string;
}

/** A database of its own on the server whose socket is in that folder. */
export async function postgresDatabase(
  t: { after(end: () => unknown): void },
  socket: string,
  migrations: readonly StoreMigration[],
): Promise<PostgresDatabase> {
  const database = await connectPostgres(socket, await createPostgres(socket, migrations));
  t.after(() => database.close());
  return database;
}

/** Returns its name. */
export async function createPostgres(socket: string, migrations: readonly StoreMigration[]): Promise<string> {
  const name = `t${process.pid}_${++databases}`;
  const first = await connect(socket, 'postgres');
  await first.query(`create database ${name}`);
  await first.end();
  const pool = new pg.Pool({ host: socket, user: USER, database: name, max: 1 });
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  for (const migration of migrations) await migration.up(kysely, 'postgres');
  await kysely.destroy();
  return name;
}

async function connect(socket: string, database: string): Promise<pg.Client> {
  const client = new pg.Client({ host: socket, user: USER, database, types: { getTypeParser: parserOf } });
  // Cut off when the server ends.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/**
 * A connection to a database that exists, as each node has one. Commits of the others are heard of by NOTIFY, which
 * the server sends with the commit itself.
 */
export async function connectPostgres(socket: string, name: string): Promise<PostgresDatabase> {
  const client = await connect(socket, name);
  const changes = createChangeBus();
  const me = ((await client.query('select pg_backend_pid() as pid')).rows[0] as { pid: number }).pid;
  client.on('notification', ({ processId, payload }) => {
    if (processId !== me) changes.hear(payload!.split(' '));
  });
  await client.query(`listen ${CHANNEL}`);

  const read = async (statement: Statement): Promise<readonly Row[]> => {
    try {
      return (await client.query(textOf(statement), statement.parameters.map(parameterOf))).rows as Row[];
    } catch (error) {
      throw errorOf(error);
    }
  };
  const one = async (statement: Statement): Promise<WriteResult> => {
    const { rows, rowCount } = await client.query(textOf(statement), statement.parameters.map(parameterOf));
    if (statement.expect === 'changed' && !rowCount) throw new OperationalError('store.expectation', statement.sql);
    return { changes: rowCount ?? 0, rows: rows as Row[] };
  };
  const unitOf = async (unit: readonly Statement[]): Promise<readonly WriteResult[]> => {
    await client.query('begin');
    try {
      const results: WriteResult[] = [];
      for (const statement of unit) results.push(await one(statement));
      const topics = new Set(unit.flatMap(({ writes }) => (writes ? [writes.topic] : [])));
      if (topics.size > 0) await client.query('select pg_notify($1, $2)', [CHANNEL, [...topics].join(' ')]);
      await client.query('commit');
      return results;
    } catch (error) {
      await client.query('rollback');
      throw errorOf(error);
    }
  };
  /** One connection: units and reads go one after the other. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
  let closed: Promise<void> | undefined;
  return {
    client,
    name,
    dialect: 'postgres',
    read: (statement) => inTurn(() => read(statement)),
    scan: (statement) => inTurn(() => read(statement)),
    // Not within its turn: who hears of it may read.
    write: (unit) =>
      published(
        inTurn(() => unitOf(unit)),
        () => changes.publish(changes.heardOf(unit)),
      ),
    changes,
    close() {
      closed ??= client.end();
      return closed;
    },
  };
}

/** What tests write themselves has the stand-ins of SQLite. */
function textOf({ sql, parameters }: Statement): string {
  if (parameters.length === 0 || sql.includes('$1')) return sql;
  let count = 0;
  return sql.replace(/\?/g, () => `$${++count}`);
}

/** The errors that the seam promises; what is none of them is a mistake in a statement. */
function errorOf(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string };
  if (error instanceof OperationalError || typeof code !== 'string') return error;
  if (code.startsWith('23')) return new OperationalError('store.constraint', message, { cause: error });
  // Rolled back for another's sake, out of something, stopped by somebody, or no connection.
  if (/^(40|53|57|08)/.test(code)) return new OperationalError('store.unavailable', message, { cause: error });
  return error;
}

/** Our integers are below 2^53. */
function parserOf(type: number, format?: string): (text: string) => unknown {
  if (type === INT8) return Number;
  return pg.types.getTypeParser(type, format as 'text');
}

function parameterOf(value: Statement['parameters'][number]): unknown {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}
