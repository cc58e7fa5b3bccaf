import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outboxJob } from '../../src/jobs/outbox.ts';
import { startScheduler } from '../../src/jobs/scheduler.ts';
import { queueMigrations } from '../../src/queue/rows/migrations.ts';
import { outboxMigrations, outboxStatements } from '../../src/store/outbox.ts';
import { startQueue, testDirectory, testDispatcher } from '../queue/support/queue.ts';
import { manualClock } from '../support/clock.ts';
import { recordedEvents } from '../support/events.ts';

const LETTER = {
  id: '1',
  kind: 'test',
  sender: 'dmarc@local.example',
  recipients: ['a@remote.example'],
  content: Buffer.from('From: <dmarc@local.example>\r\nSubject: hello\r\n\r\nbody\r\n'),
  createdAt: 0,
};

async function open(t: Parameters<typeof startQueue>[0]) {
  const clock = manualClock();
  const events = recordedEvents();
  const node = await startQueue(t, { clock, migrations: [...queueMigrations, ...outboxMigrations] });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const { database, blobs } = node.store;
  const sql = outboxStatements('sqlite');
  const job = outboxJob({ database, blobs, queue: node.queue, directory: testDirectory, clock, events });
  return { ...node, clock, events, dispatcher, job, sql, database };
}

test('a letter leaves the outbox as a queued message that asks for no report, in one unit', async (t) => {
  const { database, sql, job, dispatcher } = await open(t);
  await database.write([sql.letter(LETTER)]);
  await job.run();
  const [claim] = dispatcher.claims;
  assert.equal(claim!.message.reversePath?.text, 'dmarc@local.example');
  assert.equal(claim!.message.author, '@local.example');
  assert.equal(claim!.recipients[0]!.notify, 'never');
  await job.run();
  assert.equal(dispatcher.claims.length, 1);
});

test('two that take the same letter at once send it once', async (t) => {
  const { database, sql, job, dispatcher } = await open(t);
  await database.write([sql.letter(LETTER)]);
  await Promise.allSettled([job.run(), job.run()]);
  assert.equal(dispatcher.claims.length, 1);
});

test('a letter without a usable address is dropped and told, and stops no other', async (t) => {
  const { database, sql, job, dispatcher, events } = await open(t);
  await database.write([sql.letter({ ...LETTER, recipients: ['nonsense'] }), sql.letter({ ...LETTER, id: '2' })]);
  await job.run();
  assert.equal(events.count('jobs.letter-unusable'), 1);
  assert.equal(dispatcher.claims.length, 1);
});

test('a job that fails is told and runs again at its time; the others run on', async () => {
  const clock = manualClock();
  const events = recordedEvents();
  const runs = { bad: 0, good: 0 };
  const job = (name: 'bad' | 'good') => ({
    name,
    next: () => 1000,
    async run() {
      runs[name]++;
      if (name === 'bad') throw new Error('no');
    },
  });
  const scheduler = startScheduler([job('bad'), job('good')], { clock, events });
  await clock.advance(2500);
  assert.deepEqual(runs, { bad: 2, good: 2 });
  assert.equal(events.count('jobs.failed'), 2);
  scheduler.wake('good');
  assert.equal(runs.good, 3);
  await scheduler.stop();
  await clock.advance(10_000);
  assert.deepEqual(runs, { bad: 2, good: 3 });
  assert.equal(clock.pending(), 0);
});
