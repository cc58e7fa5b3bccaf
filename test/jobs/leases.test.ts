/** Clock jobs of nodes that share a database: one runs each at a time, and who dies is replaced. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createJobLeases, jobMigrations } from '../../src/jobs/leases.ts';
import { JOB_LEASE_MS, JOB_RENEW_EVERY_MS } from '../../src/jobs/limits.ts';
import { type Job, type Scheduler, startScheduler } from '../../src/jobs/scheduler.ts';
import type { Database } from '../../src/store/contract.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { memoryDatabase } from '../support/database.ts';
import { type RecordedEvents, recordedEvents } from '../support/events.ts';

const EVERY_MS = 600_000;

interface World {
  readonly database: Database;
  readonly clock: ManualClock;
  readonly events: RecordedEvents;
  /** Who ran, in order. */
  readonly runs: string[];
  /** Moves the clock, and lets the database answer between two steps. */
  pass(ms: number): Promise<void>;
  /** A node with that job, which does `work`. */
  node(name: string, more?: Partial<Job>): Scheduler;
}

async function world(t: TestContext): Promise<World> {
  const database = await memoryDatabase(t, ...jobMigrations);
  const clock = manualClock();
  const events = recordedEvents();
  const runs: string[] = [];
  return {
    database,
    clock,
    events,
    runs,
    async pass(ms) {
      for (let left = ms; left > 0; left -= JOB_RENEW_EVERY_MS) {
        await clock.advance(Math.min(left, JOB_RENEW_EVERY_MS));
        // What was asked before this has its answers, and asks again.
        for (let n = 0; n < 5; n++) await database.read({ sql: 'select 1 as n', parameters: [] });
      }
    },
    node(name, more = {}) {
      const job: Job = {
        name: 'job',
        next: () => EVERY_MS,
        run: async () => void runs.push(name),
        ...more,
      };
      const scheduler = startScheduler([job], { clock, events, leases: createJobLeases(database, name, clock) });
      t.after(() => scheduler.stop());
      return scheduler;
    },
  };
}

/** A run that lasts until it is told to end. */
function long(runs: string[], name: string): { readonly run: Job['run']; end(): void; isAborted(): boolean } {
  let end = (): void => undefined;
  let signal: AbortSignal | undefined;
  return {
    run(stopping) {
      runs.push(name);
      signal = stopping;
      return new Promise((resolve) => {
        end = resolve;
        stopping?.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    end: () => end(),
    isAborted: () => signal?.aborted === true,
  };
}

test('of several nodes one runs a job each time, and no time is left out', async (t) => {
  const { runs, pass, node } = await world(t);
  node('a');
  await pass(EVERY_MS / 3);
  node('b');
  await pass(EVERY_MS / 3);
  node('c');
  await pass(5 * EVERY_MS);
  assert.deepEqual(runs, Array(5).fill('a'));
});

test('a job of each node runs on each of them', async (t) => {
  const { runs, pass, node, database } = await world(t);
  node('a', { onEveryNode: true });
  node('b', { onEveryNode: true });
  await pass(EVERY_MS);
  assert.deepEqual(runs, ['a', 'b']);
  assert.deepEqual(await database.read({ sql: 'select * from job_lease', parameters: [] }), []);
});

test('the others go on when the node that ran a job stops', async (t) => {
  const { runs, pass, node } = await world(t);
  const first = node('a');
  await pass(EVERY_MS / 3);
  node('b');
  await pass(EVERY_MS);
  await first.stop();
  await pass(2 * EVERY_MS);
  assert.deepEqual(runs.slice(0, 2), ['a', 'b']);
});

test('a long run is renewed, and nobody else begins', async (t) => {
  const { runs, pass, node } = await world(t);
  const work = long(runs, 'a');
  node('a', { run: work.run });
  await pass(1000);
  node('b');
  await pass(3 * EVERY_MS);
  assert.deepEqual(runs, ['a']);
  assert.equal(work.isAborted(), false);
  work.end();
  await pass(EVERY_MS + JOB_LEASE_MS);
  assert.equal(runs.length, 2, 'one of them, at the next time');
});

test('a node that dies in a run is replaced when its lease is over, not before', async (t) => {
  const { database, clock, runs, pass, node } = await world(t);
  // It began, and never said another word.
  assert.equal(await createJobLeases(database, 'a', clock).begin('job'), 'ours');
  const scheduler = node('b');
  scheduler.wake('job');
  await pass(JOB_LEASE_MS - JOB_RENEW_EVERY_MS);
  assert.deepEqual(runs, []);
  await pass(JOB_LEASE_MS);
  assert.deepEqual(runs, ['b']);
});

test('a node that was cut off in a run ends it when it hears that another has taken over', async (t) => {
  const { database, runs, pass, node, clock } = await world(t);
  const work = long(runs, 'a');
  node('a', { run: work.run });
  await pass(EVERY_MS);
  await database.write([{ sql: 'update job_lease set until = 1', parameters: [] }]);
  assert.equal(await createJobLeases(database, 'b', clock).begin('job'), 'ours');
  await pass(JOB_RENEW_EVERY_MS);
  assert.equal(work.isAborted(), true);
  assert.deepEqual(
    (await database.read({ sql: 'select holder from job_lease where until > 0', parameters: [] })).map(
      ({ holder }) => holder,
    ),
    ['b'],
    'its end does not end the run of the other',
  );
});

test('a job that was woken runs although another node has just run it', async (t) => {
  const { runs, pass, node } = await world(t);
  node('a');
  const second = node('b');
  await pass(EVERY_MS);
  second.wake('job');
  await pass(1000);
  assert.deepEqual(runs, ['a', 'b']);
});

test('a run that failed is no run: the next node tries', async (t) => {
  const { runs, pass, node, events } = await world(t);
  node('a', {
    run: async () => {
      throw new Error('no');
    },
  });
  await pass(1000);
  node('b');
  await pass(EVERY_MS);
  assert.deepEqual(runs, ['b']);
  assert.equal(events.count('jobs.failed'), 1);
});

test('a node that has its database to itself writes nothing for its jobs', async (t) => {
  const database = await memoryDatabase(t, ...jobMigrations);
  const clock = manualClock();
  let runs = 0;
  const job: Job = { name: 'job', next: () => 1000, run: async () => void runs++ };
  const scheduler = startScheduler([job], { clock, events: recordedEvents() });
  await clock.advance(10_000);
  await scheduler.stop();
  assert.deepEqual([runs, database.units()], [10, 0]);
});
