/** Several queues, each a node with a folder, a log and a start of its own, over one database. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { EVENTS } from '../../../src/catalogue.ts';
import { openQueue } from '../../../src/queue/open.ts';
import { queueMigrations } from '../../../src/queue/rows/migrations.ts';
import type { Database } from '../../../src/store/contract.ts';
import { openStore } from '../../../src/store/open.ts';
import { createEvents } from '../../../src/world/events.ts';
import type { ManualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';
import {
  type TestDispatcher,
  type TestJournal,
  type TestNode,
  temporaryFolder,
  testDirectory,
  testDispatcher,
  testJournal,
  testSettings,
} from './queue.ts';

export interface SharedNode extends TestNode {
  readonly dispatcher: TestDispatcher;
}

export interface SharedStart {
  readonly database: Database;
  readonly number: number;
  readonly clock: ManualClock;
  readonly places?: number;
  readonly journal?: TestJournal;
}

let starts = 0;

/** Of its own folder only the files are used: rows are where all nodes see them. */
export async function startNode(
  t: TestContext,
  { database, number, clock, places = 1000, journal = testJournal() }: SharedStart,
): Promise<SharedNode> {
  const events = createEvents(EVENTS, clock.now, (error) => {
    throw error;
  });
  const told: string[] = [];
  events.attach((name) => told.push(name));
  const random = seededRandom(++starts);
  const folder = temporaryFolder(t);
  const store = await openStore(folder, { clock, random, events, migrations: queueMigrations, writer: 'loop' });
  const queue = await openQueue({
    sharedAs: number,
    database,
    blobs: store.blobs,
    journal,
    settings: testSettings(),
    directory: testDirectory,
    clock,
    random,
    events,
    hostname: `mx${number}.local.example`,
  });
  t.after(async () => {
    await queue.close();
    await store.close();
  });
  const dispatcher = testDispatcher(places);
  return { folder, store, queue, journal, events, told, dispatcher };
}

/** A node that hangs says so instead of hanging the test. */
const TURNS = 20_000;

export async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    if (await isSo()) return;
    await new Promise((go) => setImmediate(go));
  }
  assert.fail(`waited in vain: ${what}`);
}

export async function countOf(database: Database, table: string, where = 'true'): Promise<number> {
  const [row] = await database.read({ sql: `select count(*) as n from ${table} where ${where}`, parameters: [] });
  return Number(row!['n']);
}

/** Whose leases there are, by number. */
export async function leaseHolders(database: Database): Promise<number[]> {
  const rows = await database.read({
    sql: 'select lease from recipient where lease is not null order by message, n',
    parameters: [],
  });
  return rows.map(({ lease }) => Number(String(lease).split(':')[0]));
}
