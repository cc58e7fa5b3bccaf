/** Acts in the background: looked at, cancelled, interrupted, and in nobody's way. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../src/core.ts';
import { BACKGROUND_RUNS } from '../../src/operations/limits.ts';
import type { Run } from '../../src/operations/runs.ts';
import { rowContent } from '../../src/store/blobs/memory-content.ts';
import { address, recipient } from '../queue/support/queue.ts';
import { ROOT, startCore } from '../support/core.ts';

const OPERATOR = { name: 'operator', grants: [{ role: 'operator', domains: 'all' }] } as const;

async function ended(core: Core, id: string): Promise<Run> {
  for (;;) {
    const run = await core.operations.execute('operation.show', { id }, ROOT);
    if (run.endedAt !== null) return run;
    await new Promise((turn) => setImmediate(turn));
  }
}

/** `messages` in the queue, two recipients each. */
async function filled(t: TestContext, messages: number): Promise<Core> {
  const core = await startCore(t);
  const { operations, queue } = core;
  await operations.execute('domain.add', { name: 'one.example' }, ROOT);
  await operations.execute('user.add', { address: 'alice@one.example' }, ROOT);
  const commit = (): Promise<void> =>
    queue.commit({
      id: queue.newId(),
      reversePath: address('bob@sender.example'),
      body: '8BITMIME',
      smtputf8: false,
      receivedAt: Date.now(),
      content: rowContent(Buffer.from('hello')),
      trace: '',
      detail: { evidence: {}, findings: [] },
      recipients: [recipient('alice@one.example'), recipient('info@one.example')],
    });
  await Promise.all(Array.from({ length: messages }, commit));
  await operations.execute('queue.list', { limit: 1 }, ROOT);
  return core;
}

test('an account is frozen at once while all of a large queue is deleted, which another client sees and stops', async (t) => {
  // Some eighty commits of the act for the few of a freeze.
  const core = await filled(t, 4000);
  const { operations } = core;
  const { id } = await operations.begin('queue.delete', { all: true }, ROOT);
  for (let done = 0; done === 0; ) {
    await new Promise((turn) => setImmediate(turn));
    ({ done } = await operations.execute('operation.show', { id }, ROOT));
  }
  await operations.execute('user.set-state', { address: 'alice@one.example', state: 'frozen' }, ROOT);
  const [meanwhile] = (await operations.execute('operation.list', {}, ROOT)).rows;
  assert.equal(meanwhile?.state, 'running');
  assert.ok(meanwhile.done < 8000, 'the act was not waited for');
  await operations.execute('operation.cancel', { id }, ROOT);
  const run = await ended(core, id);
  assert.equal(run.state, 'cancelled');
  assert.deepEqual(run.output, { changed: run.done });
  const { queued } = (await operations.execute('status', {}, ROOT)).queue;
  assert.equal(queued, 8000 - run.done);
  await assert.rejects(operations.execute('operation.cancel', { id }, ROOT), { code: 'operation.over' });
});

test('an act in the background is done and audited as any other, and what it answered can be read', async (t) => {
  const core = await filled(t, 3);
  const { id } = await core.operations.begin('queue.hold', { all: true, reason: 'wait' }, ROOT);
  const { state, output, operation, actor } = await ended(core, id);
  assert.deepEqual(
    { state, output, operation, actor },
    {
      state: 'done',
      output: { changed: 6 },
      operation: 'queue.hold',
      actor: 'cli:root',
    },
  );
  const audit = (await core.operations.execute('log.audit', {}, ROOT)).rows;
  assert.ok(audit.some((row) => row.operation === 'queue.hold' && row.result === 'done'));
});

test('an import that is stopped while it waits adds nobody, and its passwords are in no row', async (t) => {
  const core = await filled(t, 0);
  const { operations, store } = core;
  const accounts = [{ address: 'carol@one.example', password: 'correct horse battery' }];
  // Both are begun before the first has its turn to end.
  const first = await operations.begin('user.import', { accounts: [{ address: 'bob@one.example' }] }, ROOT);
  const { id } = await operations.begin('user.import', { accounts }, ROOT);
  await operations.execute('operation.cancel', { id }, ROOT).catch(() => undefined);
  await ended(core, first.id);
  const run = await ended(core, id);
  const added = (await operations.execute('user.list', {}, ROOT)).rows.some(({ address: one }) =>
    one.startsWith('carol'),
  );
  assert.equal(added, run.state === 'done');
  const rows = await store.database.read({ sql: 'SELECT * FROM operation_run', parameters: [] });
  assert.ok(!JSON.stringify(rows).includes('horse'));
});

test('what is wrong with an act is told before it begins, and what fails later is in its run', async (t) => {
  const core = await filled(t, 0);
  const { operations } = core;
  await assert.rejects(operations.begin('queue.delete', { nonsense: 1 }, ROOT), { code: 'operation.input' });
  await assert.rejects(operations.begin('user.add', { address: 'x@one.example' }, ROOT), { code: 'operation.input' });
  const auditor = { name: 'auditor', grants: [{ role: 'auditor', domains: 'all' }] } as const;
  await assert.rejects(operations.begin('queue.delete', { all: true }, auditor), { code: 'operation.denied' });
  const { id } = await operations.begin('queue.delete', { ids: ['nonsense'] }, ROOT);
  const { state, error, output } = await ended(core, id);
  assert.deepEqual([state, error?.code, output], ['failed', 'queue.missing', undefined]);
});

test('somebody who may not see the audit sees and stops what they began, and nothing else', async (t) => {
  const core = await filled(t, 1);
  const { operations } = core;
  const { id } = await operations.begin('queue.hold', { all: true }, ROOT);
  const own = await operations.begin('queue.release', { all: true }, OPERATOR);
  const ids = (await operations.execute('operation.list', {}, OPERATOR)).rows.map((row) => row.id);
  assert.deepEqual(ids, [own.id]);
  await assert.rejects(operations.execute('operation.show', { id }, OPERATOR), { code: 'operation.missing' });
  await assert.rejects(operations.execute('operation.cancel', { id }, OPERATOR), { code: 'operation.missing' });
  await Promise.all([ended(core, id), ended(core, own.id)]);
});

test('what a stopped node left under way is listed as interrupted at the next start', async (t) => {
  const core = await filled(t, 0);
  const { store, operations } = core;
  const columns = "'0left', 'mx.example.com', 'queue.delete', 'cli:root', '{}', 'running', 7, 1, NULL, NULL";
  await store.database.write([{ sql: `INSERT INTO operation_run VALUES (${columns})`, parameters: [] }]);
  const other = "'0other', 'mx2.example.com', 'queue.delete', 'cli:root', '{}', 'running', 7, 1, NULL, NULL";
  await store.database.write([{ sql: `INSERT INTO operation_run VALUES (${other})`, parameters: [] }]);
  const { createRuns } = await import('../../src/operations/runs.ts');
  const runs = createRuns({ ...core, database: store.database, nodeName: 'mx.example.com' });
  await runs.recover();
  const states = (await operations.execute('operation.list', {}, ROOT)).rows.map(({ id, state }) => [id, state]);
  assert.deepEqual(states, [
    ['0other', 'running'],
    ['0left', 'interrupted'],
  ]);
});

test('a stop interrupts what is under way, between two messages', async (t) => {
  const core = await filled(t, 200);
  const { operations, store } = core;
  const { id } = await operations.begin('queue.delete', { all: true }, ROOT);
  await operations.close();
  const [row] = await store.database.read({
    sql: `SELECT state, done FROM operation_run WHERE id = '${id}'`,
    parameters: [],
  });
  assert.equal(row?.['state'], 'interrupted');
});

test('somebody begins more and more acts: there is a bound', async (t) => {
  const core = await filled(t, 1);
  const { operations, queue } = core;
  const slow = Promise.withResolvers<number>();
  Object.assign(queue.admin, { hold: () => slow.promise });
  for (let n = 0; n < BACKGROUND_RUNS; n++) await operations.begin('queue.hold', { all: true }, ROOT);
  await assert.rejects(operations.begin('queue.hold', { all: true }, ROOT), { code: 'operation.busy' });
  slow.resolve(0);
});
