/** The real queue of a history: opened, looked at, waited for, closed. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Claim } from '../../../../src/queue/contract.ts';
import { idOf, rowId } from '../../../../src/queue/model/ids.ts';
import { quickDisk } from '../../../store/support/ledger.ts';
import { type ManualClock, manualClock } from '../../../support/clock.ts';
import { openTestNode, type TestJournal, type TestNode, testDispatcher, testJournal } from '../queue.ts';
import { adopt, end, type Model, put, type Rows, type Shown } from './model.ts';

export interface TakenClaim {
  readonly claim: Claim;
  /** Of its rows, when it was handed out. */
  readonly epochs: ReadonlyMap<string, number>;
}

export interface Real {
  node: TestNode;
  folder: string;
  readonly clock: ManualClock;
  /** Time passes and no node sees it. */
  skip(ms: number): void;
  readonly journal: TestJournal;
  taken: TakenClaim[];
  /** Handed out and not looked at yet. */
  fresh: Claim[];
  places: number;
  /** Whether a try can be stopped now. */
  stops: boolean;
  readonly folders: string[];
}

/** In memory where there is such a place: what a crash leaves is copied, so nothing need reach a disk. */
export const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
let template: string | undefined;

export function newFolder(from?: string): string {
  const folder = mkdtempSync(join(ROOT, 'postern-history-'));
  if (from) cpSync(from, folder, { recursive: true, filter: (path) => !path.endsWith('-shm') });
  return folder;
}

export async function open(real: Omit<Real, 'node'> & { node?: TestNode }): Promise<void> {
  const node = await openTestNode({ folder: real.folder, clock: real.clock, journal: real.journal, disk: quickDisk() });
  real.node = node;
  real.taken = [];
  real.fresh = [];
  const dispatcher = testDispatcher();
  node.queue.attach({
    ...dispatcher,
    room: () => real.places - real.taken.length - real.fresh.length,
    take: (claim) => void real.fresh.push(claim),
    stop(lease) {
      const claim = [...real.fresh, ...real.taken.map((taken) => taken.claim)].find((one) => one.lease === lease);
      if (!claim || !real.stops) return false;
      real.fresh = real.fresh.filter((one) => one !== claim);
      real.taken = real.taken.filter((taken) => taken.claim !== claim);
      void node.queue.settle(claim, []);
      return true;
    },
  });
  await turns(3);
}

export async function begin(): Promise<{ model: Model; real: Real }> {
  const manual = manualClock();
  let skippedMs = 0;
  const clock: ManualClock = { ...manual, now: () => manual.now() + skippedMs };
  const skip = (ms: number): void => {
    skippedMs += ms;
  };
  if (!template) {
    template = newFolder();
    const node = await openTestNode({ folder: template, clock, disk: quickDisk() });
    await node.queue.close();
    await node.store.close();
    process.once('exit', () => rmSync(template!, { recursive: true, force: true }));
  }
  const folder = newFolder(template);
  const real = {
    skip,
    folder,
    clock,
    journal: testJournal(),
    places: 1000,
    stops: true,
    folders: [folder],
  } as unknown as Real;
  await open(real);
  return { model: { rows: new Map(), ends: new Map(), kept: new Set() }, real };
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

export async function select<T>({ node }: Real, sql: string, ...parameters: number[]): Promise<readonly T[]> {
  return (await node.store.database.read({ sql, parameters })) as unknown as readonly T[];
}

export async function observed(real: Real): Promise<Map<string, Shown>> {
  const { rows } = await inTime(real, real.node.queue.admin.list({}, {}));
  const more = await select<{ message: number; n: number; held_until: number | null; held_then: string | null }>(
    real,
    'select message, n, held_until, held_then from recipient',
  );
  const ends = new Map(more.map((row) => [rowId(row.message, row.n), row]));
  return new Map(
    rows.map((row) => {
      // What is inline has no row.
      const { held_until, held_then } = ends.get(row.id) ?? { held_until: null, held_then: null };
      const until = row.state === 'held' && held_until !== null ? `${held_then ?? 'queued'} at ${held_until}` : null;
      return [row.id, { to: row.to, state: row.state, class: row.class, until, attempts: row.attempts }];
    }),
  );
}

/** More than a commit waits for a place, and a deferral for its turn. */
const LONGEST_WAIT_MS = 3000;

/** Of what waits for its turn: a clock that stands still would never give it one. */
export async function inTime<Result>(real: Real, work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined);
  let waitedMs = 0;
  for (let i = 0; !isDone; i++) {
    await turns(2);
    // A slow disk needs turns, and not time: holds would end while an act is under way.
    if (i <= 20 || waitedMs >= LONGEST_WAIT_MS) continue;
    waitedMs += 250;
    await real.clock.advance(250);
  }
  return done;
}

/** Holds that are over by now have ended, and rows too old to be tried may have. */
export async function passTime(model: Model, real: Real): Promise<void> {
  const isOver = async (): Promise<boolean> => {
    const overdue = "select n from recipient where state = 'held' and held_until <= ? limit 1";
    return (await select(real, overdue, real.clock.now())).length === 0;
  };
  for (let i = 0; !(await isOver()); i++) {
    await turns(3);
    if (i % 500 === 499) await real.clock.advance(1000);
    assert.ok(i < 50_000, 'holds end in time');
  }
  for (const row of model.rows.values()) {
    if (row.state !== 'held' || !row.until || row.until.at > real.clock.now()) continue;
    if (row.until.to === 'deleted') end(model, row, 'deleted');
    else put(model, { ...row, state: 'queued', class: null, until: undefined, queuedAt: real.clock.now() });
  }
}

/** Claims that came meanwhile are of rows that are, or were, queued, and in no other claim. */
export function handedOut(real: Real, before: Rows, model: Model): void {
  for (const claim of real.fresh.splice(0)) {
    const epochs = new Map<string, number>();
    if (claim.splices?.length) assert.equal(claim.edits.length, 1, 'splices come with the edits of their variant');
    for (const { row } of claim.recipients) {
      const id = `${claim.message.id}.${row}`;
      const [was, is] = [before.get(id), model.rows.get(id)];
      assert.ok(was || is, `${id} is handed out, and nobody knows it`);
      assert.ok(was?.state === 'queued' || is?.state === 'queued', `${id} is handed out, and held`);
      const { epoch } = is?.state === 'queued' ? is : was!;
      const twice = real.taken.find((taken) => taken.epochs.get(id) === epoch && is?.epoch === epoch);
      assert.ok(!twice, `${id} is handed out twice`);
      epochs.set(id, epoch);
    }
    real.taken.push({ claim, epochs });
  }
}

export async function look(model: Model, real: Real): Promise<void> {
  await passTime(model, real);
  const seen = await observed(real);
  adopt(model, seen, [model.rows], real.clock.now(), () => false);
}

export async function contentBelongs(real: Real): Promise<void> {
  const missing = await select<{ message: number }>(
    real,
    'select distinct message from recipient where message not in (select message from content)',
  );
  assert.deepEqual(missing, [], 'every row has its content');
  const left = await select<{ message: number }>(
    real,
    `select message from content where message not in (select message from recipient)
       and message not in (select message from content_owner)`,
  );
  assert.deepEqual(left, [], 'content leaves with the last row and owner');
  const unvaried = await select<{ message: number }>(
    real,
    `select message from recipient where variant is not null and not exists
       (select 1 from variant where variant.message = recipient.message and variant.v = recipient.variant)`,
  );
  assert.deepEqual(unvaried, [], 'every row has its variant');
  for (const table of ['variant', 'splice']) {
    const unused = await select<{ message: number }>(
      real,
      `select message from ${table} where not exists
         (select 1 from recipient where recipient.message = ${table}.message and recipient.variant = ${table}.v)`,
    );
    assert.deepEqual(unused, [], `each ${table} leaves with the last row that has it`);
  }
  const lost = await select<{ message: number }>(
    real,
    'select message from content_owner where message not in (select message from content)',
  );
  assert.deepEqual(lost, [], 'every owner has its content');
}

/** Whose content another room owns, each with the owner. */
export async function keptContent(real: Real): Promise<ReadonlySet<string>> {
  const owners = await select<{ message: number; owner: string }>(real, 'select message, owner from content_owner');
  return new Set(owners.map(({ message: key, owner }) => `${idOf(key)} ${owner}`));
}

/** What is left agrees with the model; then everything is closed. */
export async function finish({ model, real }: { readonly model: Model; readonly real: Real }): Promise<void> {
  try {
    await look(model, real);
    for (const [id, state] of model.ends) {
      const [of, to] = id.split(' ');
      const logged = real.journal.recipients.some(
        (record) => record.message === of && record.recipient === to && record.state === state,
      );
      assert.ok(logged, `the log has that ${to} of ${of} was ${state}`);
    }
    await contentBelongs(real);
    assert.deepEqual(await keptContent(real), model.kept, 'owners are as they were');
  } finally {
    await real.node.queue.close();
    await real.node.store.close();
    for (const folder of real.folders) rmSync(folder, { recursive: true, force: true });
  }
}
