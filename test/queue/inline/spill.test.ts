/** Spilling: from the ledger into the database, with what became of it, and the ledger told behind it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { OperationalError } from '../../../src/model/errors.ts';
import {
  DEFERRALS_EVERY_MS,
  SPILL_AFTER_MS,
  SPILL_AGAIN_MS,
  SPILL_LOOK_MS,
  SPILLED_AT_ONCE,
} from '../../../src/queue/limits.ts';
import {
  attached,
  commit,
  count,
  crashed,
  failingLedger,
  hangingLedger,
  ledgerFiles,
  next,
  rows,
  settled,
  states,
  until,
} from '../support/inline.ts';
import { address, all, deferred, failed, relayed, type TestNode } from '../support/queue.ts';

test('deferrals that come one upon the other go into the database together, and a crash meanwhile loses none', async (t) => {
  const node = await attached(t);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push(await commit(node, `a@dead-${n}.example`));
  const transactions: number[] = [];
  const { write } = node.store.database;
  t.mock.method(node.store.database, 'write', (unit: Parameters<typeof write>[0]) => {
    transactions.push(node.clock.monotonic());
    return write(unit);
  });
  const settling = node.dispatcher.claims.splice(0).map((claim) => node.queue.settle(claim, all(claim, deferred)));
  await settling[0];
  assert.deepEqual([...new Set(transactions)], [0], 'the first waits for nobody');
  const meanwhile = await crashed(t, node);
  assert.deepEqual((await rows(meanwhile)).sort(), ids.map((id) => `${id} queued`).sort());
  await node.clock.advance(DEFERRALS_EVERY_MS);
  assert.deepEqual(
    await Promise.all(settling),
    ids.map(() => 'settled'),
  );
  assert.deepEqual([...new Set(transactions)], [0, DEFERRALS_EVERY_MS]);
  assert.deepEqual(
    states(node),
    ids.map(() => 'queued'),
  );
  const { rows: waiting } = await node.queue.admin.list({}, {});
  assert.deepEqual(
    waiting.map(({ attempts }) => attempts),
    ids.map(() => 1),
  );
});

test('an operator who wants all of it tried now means what was just put off, too', async (t) => {
  const node = await attached(t);
  for (let n = 0; n < 3; n++) await commit(node, `a@dead-${n}.example`);
  const settling = node.dispatcher.claims.splice(0).map((claim) => node.queue.settle(claim, all(claim, deferred)));
  await settling[0];
  assert.equal(await node.queue.admin.retry({ filter: {} }, 'root'), 3);
  await Promise.all(settling);
  await until(() => node.dispatcher.claims.length === 3);
});

test('what is not delivered soon is spilled, and stays its dispatcher’s', async (t) => {
  const node = await attached(t);
  await commit(node);
  await node.clock.advance(SPILL_AFTER_MS - 1000);
  await settled();
  assert.equal(await count(node, 'recipient'), 0);
  await node.clock.advance(2500);
  await until(async () => (await count(node, 'recipient')) === 1);
  await node.clock.advance(10 * SPILL_AFTER_MS);
  assert.equal(node.dispatcher.claims.length, 1);
  const claim = next(node);
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
  assert.deepEqual(await rows(await crashed(t, node)), []);
});

test('a destination in back-off gives its claims back as rows, and has them again when it is over', async (t) => {
  const node = await attached(t, { places: 0 });
  const ids = [await commit(node), await commit(node)];
  node.queue.destinationFailed('x.example', 'cannot connect');
  await until(async () => (await count(node, 'recipient where lease is null')) === 2);
  assert.equal(node.dispatcher.claims.length, 0);
  node.dispatcher.places = 10;
  await node.clock.advance(31_000);
  await settled();
  for (const id of ids) {
    await until(() => node.dispatcher.claims.length > 0);
    const claim = next(node);
    assert.equal(claim.message.id, id);
    assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
    await settled();
  }
});

test('an operator sees what is on the inline way, and counts it', async (t) => {
  const node = await attached(t);
  const id = await commit(node);
  assert.deepEqual(await node.queue.admin.counts(), { queued: 1, held: 0 });
  const other = await commit(node, 'b@y.example');
  assert.equal((await node.queue.admin.show(other))?.recipients[0]?.to, 'b@y.example');
  assert.deepEqual(await rows(node), [`${id} queued`, `${other} queued`]);
  assert.equal(await count(node, 'recipient'), 0, 'a look spills nothing');
});

test('an act spills the mail that it means, and no other; a released or retried one spills none', async (t) => {
  const node = await attached(t);
  for (const to of ['a@x.example', 'b@y.example', 'c@z.example']) await commit(node, to);
  await node.queue.admin.release({ filter: {} }, 'root');
  await node.queue.admin.retry({ filter: {} }, 'root');
  assert.equal(await count(node, 'recipient'), 0);
  assert.equal(await node.queue.admin.hold({ filter: { to: 'y.example' } }, 'wait', 'root'), 1);
  assert.equal(await count(node, 'recipient'), 1);
  assert.deepEqual(await node.queue.admin.counts(), { queued: 2, held: 1 });
  assert.deepEqual(
    (await node.queue.admin.list({}, { limit: 2 })).rows.map(({ to, state }) => `${to} ${state}`),
    ['a@x.example queued', 'b@y.example held'],
  );
});

for (const [act, perform, left, end] of [
  ['delete', (node: TestNode) => node.queue.admin.delete({ filter: {} }, 'root'), [], ['deleted']],
  ['hold', (node: TestNode) => node.queue.admin.hold({ filter: {} }, 'wait', 'root'), ['a@x.example held'], ['held']],
  [
    'redirect',
    (node: TestNode) => node.queue.admin.redirect({ filter: {} }, address('c@z.example'), 'root'),
    ['c@z.example queued'],
    ['redirected'],
  ],
  ['bounce', (node: TestNode) => node.queue.admin.bounce({ filter: {} }, 'no', 'root'), [], ['bounced']],
] as const) {
  test(`an operator’s ${act} goes before a delivery in active on the inline way, also over a crash`, async (t) => {
    const node = await attached(t);
    await commit(node, 'a@x.example', { reversePath: null });
    const claim = next(node);
    assert.equal(await perform(node), 1);
    assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'void');
    assert.deepEqual(states(node), [...end, end[0]], 'the last is the answer of the other side');
    const found = async (where: TestNode): Promise<string[]> =>
      (await where.queue.admin.list({}, {})).rows.map(({ to, state }) => `${to} ${state}`);
    assert.deepEqual(await found(node), left);
    assert.deepEqual(await found(await crashed(t, node)), left);
  });
}

for (const end of ['deleted', 'bounced'] as const) {
  test(`what was ${end} out of the database while the ledger does not know that it is there comes back by no crash`, async (t) => {
    const ledger = hangingLedger(t);
    const node = await attached(t, { disk: ledger.disk });
    await commit(node, 'a@x.example', { reversePath: null });
    const claim = next(node);
    ledger.hang();
    if (end === 'deleted') assert.equal(await node.queue.admin.delete({ filter: {} }, 'root'), 1);
    else assert.equal(await node.queue.settle(claim, all(claim, failed)), 'settled');
    await settled();
    assert.deepEqual(states(node), [end], 'nobody waits for the ledger');
    assert.deepEqual([await count(node, 'recipient'), await count(node, 'message')], [0, 1], 'a row tells that it was');
    assert.deepEqual(await rows(await crashed(t, node)), []);
    ledger.go();
    await until(async () => (await count(node, 'message')) === 0);
    assert.equal(await count(node, 'settled'), 0);
    assert.deepEqual(await rows(await crashed(t, node)), []);
  });
}

test('a ledger that does not take the word that a message was spilled is told again', async (t) => {
  const fault: { code?: string | undefined } = {};
  const node = await attached(t, { disk: failingLedger(fault) });
  await commit(node, 'a@x.example', { reversePath: null });
  const claim = next(node);
  fault.code = 'EIO';
  assert.equal(await node.queue.settle(claim, all(claim, failed)), 'settled');
  await settled();
  assert.equal(await count(node, 'message'), 1);
  fault.code = undefined;
  await node.clock.advance(SPILL_AFTER_MS + 2000);
  await until(async () => {
    // A slow disk may have told of its failure only now.
    await node.clock.advance(SPILL_LOOK_MS);
    return (await count(node, 'message')) === 0;
  });
  await until(() => ledgerFiles(node).length <= 2);
  assert.deepEqual(await rows(await crashed(t, node)), []);
});

test('what is too old is spilled in portions, and no sooner than a second after the database refused', async (t) => {
  const node = await attached(t);
  for (let n = 0; n < SPILLED_AT_ONCE + 20; n++) await commit(node, `a@x-${n % 4}.example`);
  const { write } = node.store.database;
  const { database } = node.store as { database: { write: typeof write } };
  let spilling = 0;
  const failing = t.mock.method(database, 'write', (unit: Parameters<typeof write>[0]) => {
    if (unit[0]?.sql.startsWith('insert into "message"')) spilling++;
    return Promise.reject(new OperationalError('store.unavailable', 'the database is away'));
  });
  await node.clock.advance(SPILL_AFTER_MS);
  await until(() => node.told.includes('queue.work-failed'));
  assert.equal(spilling, SPILLED_AT_ONCE);
  await node.clock.advance(SPILL_AGAIN_MS - SPILL_LOOK_MS);
  assert.equal(spilling, SPILLED_AT_ONCE);
  failing.mock.restore();
  await node.clock.advance(SPILL_LOOK_MS);
  await until(async () => (await count(node, 'recipient')) === SPILLED_AT_ONCE);
  await node.clock.advance(SPILL_LOOK_MS);
  await until(async () => (await count(node, 'recipient')) === SPILLED_AT_ONCE + 20);
});

test('rows that came into the database although their write was told as failed are found there, and are no second copy', async (t) => {
  const node = await attached(t);
  const id = await commit(node);
  const { write } = node.store.database;
  const { database } = node.store as { database: { write: typeof write } };
  let failures = 1;
  database.write = async (unit) => {
    const results = await write(unit);
    if (failures-- > 0) throw new OperationalError('store.unavailable', 'the writer ended');
    return results;
  };
  const claim = next(node);
  await assert.rejects(node.queue.admin.open(id), { code: 'store.unavailable' });
  assert.equal((await node.queue.admin.list({}, {})).rows.length, 1);
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
  assert.deepEqual(await rows(node), []);
  assert.deepEqual(
    node.journal.recipients.map(({ message: of, state }) => [of, state]),
    [[id, 'relayed']],
  );
  assert.deepEqual(await rows(await crashed(t, node)), []);
});
