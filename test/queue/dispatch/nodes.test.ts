/** Nodes that share a database: whose leases are whose, and what becomes of those of a dead one. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { LEASE_MS, RENEW_EVERY_MS } from '../../../src/queue/limits.ts';
import { createIdSource, idOf, keyOf } from '../../../src/queue/model/ids.ts';
import { queueMigrations } from '../../../src/queue/rows/migrations.ts';
import type { Database } from '../../../src/store/contract.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';
import { memoryDatabase } from '../../support/database.ts';
import { countOf, leaseHolders, type SharedNode, startNode, until } from '../support/nodes.ts';
import { all, deferred, message, relayed, testJournal } from '../support/queue.ts';

interface Two {
  readonly database: Database;
  readonly clock: ManualClock;
  readonly first: SharedNode;
  readonly second: SharedNode;
}

async function two(t: TestContext, places?: number): Promise<Two> {
  const database = await memoryDatabase(t, ...queueMigrations);
  const clock = manualClock();
  const start = { database, clock, ...(places !== undefined && { places }) };
  return {
    database,
    clock,
    first: await startNode(t, { ...start, number: 0 }),
    second: await startNode(t, { ...start, number: 1 }),
  };
}

async function commit(node: SharedNode, ...to: readonly string[]): Promise<string> {
  const made = await message(node, to);
  await node.queue.commit(made);
  return made.id;
}

/** The node has a message in hand, and will never say what became of it. */
async function dies(node: SharedNode, ...to: readonly string[]): Promise<void> {
  node.queue.attach(node.dispatcher);
  await commit(node, ...to);
  await until('the node has a claim', () => node.dispatcher.claims.length > 0);
  await node.queue.close();
}

test('a start gets back the leases of its own node, and leaves those of others', async (t) => {
  const { database, clock, first, second } = await two(t);
  await dies(first, 'a@x.example');
  second.queue.attach(second.dispatcher);
  await commit(second, 'b@x.example');
  assert.deepEqual(await leaseHolders(database), [0, 1]);
  const again = await startNode(t, { database, clock, number: 0 });
  assert.deepEqual(await leaseHolders(database), [1]);
  assert.deepEqual(again.told, ['queue.recovered']);
});

test('what a dead node had in hand is delivered by another once its lease has expired, not before', async (t) => {
  const { database, clock, first, second } = await two(t);
  await dies(first, 'a@x.example', 'b@x.example');
  second.queue.attach(second.dispatcher);
  await clock.advance(LEASE_MS - 1);
  assert.deepEqual(await leaseHolders(database), [0, 0]);
  await clock.advance(RENEW_EVERY_MS);
  await until('the other has it', () => second.dispatcher.claims.length === 1);
  assert.deepEqual(await leaseHolders(database), [1, 1]);
  const [claim] = second.dispatcher.claims;
  assert.equal(await second.queue.settle(claim!, all(claim!, relayed)), 'settled');
  assert.equal(await countOf(database, 'recipient'), 0);
  assert.equal(await countOf(database, 'content'), 0);
});

test('what was to be held after the try of a node that died in it is held, and tried by nobody', async (t) => {
  const { database, clock, first, second } = await two(t);
  await dies(first, 'a@x.example');
  await database.write([{ sql: "update recipient set hold_class = 'admin'", parameters: [] }]);
  second.queue.attach(second.dispatcher);
  await clock.advance(LEASE_MS + RENEW_EVERY_MS);
  await until(
    'it is held',
    async () => (await countOf(database, 'recipient', "state = 'held' and lease is null")) === 1,
  );
  assert.equal(second.dispatcher.claims.length, 0);
});

test('a living node keeps what it has in hand, however long its peer takes', async (t) => {
  const { database, clock, first } = await two(t);
  first.queue.attach(first.dispatcher);
  await commit(first, 'a@x.example');
  for (let n = 0; n < 10; n++) await clock.advance(RENEW_EVERY_MS);
  assert.deepEqual(await leaseHolders(database), [0]);
  const [claim] = first.dispatcher.claims;
  assert.equal(await first.queue.settle(claim!, all(claim!, relayed)), 'settled');
});

test('a node that was cut off until others took its claim ends the try, and settles void', async (t) => {
  const { database, clock, first, second } = await two(t);
  const stopped: string[] = [];
  first.dispatcher.stop = (lease) => stopped.push(lease) > 0;
  first.queue.attach(first.dispatcher);
  await commit(first, 'a@x.example');
  const [lost] = first.dispatcher.claims;
  // Its renewals did not come there in time.
  await database.write([{ sql: "update recipient set lease = '1:other.1'", parameters: [] }]);
  await clock.advance(2 * RENEW_EVERY_MS);
  assert.deepEqual(stopped, [lost!.lease, lost!.lease].slice(0, stopped.length));
  assert.ok(stopped.length > 0);
  assert.equal(await first.queue.settle(lost!, all(lost!, relayed)), 'void');
  assert.deepEqual(
    first.journal.recipients.map(({ state, reply }) => [state, reply?.includes('250 2.0.0 ok')]),
    [['queued', true]],
    'what was answered is logged even so',
  );
  assert.deepEqual(second.journal.recipients, []);
  assert.equal(await countOf(database, 'recipient', "lease = '1:other.1'"), 1);
});

test('of two nodes that end the last two recipients, one deletes the content, and both logs have what they did', async (t) => {
  const { database, first, second } = await two(t);
  const id = await commit(first, 'a@x.example', 'b@y.example');
  first.queue.attach(first.dispatcher);
  await until('the first has both', () => first.dispatcher.claims.length === 2);
  const [one, other] = first.dispatcher.claims;
  await first.queue.settle(other!, all(other!, deferred));
  assert.equal(await first.queue.settle(one!, all(one!, relayed)), 'settled');
  assert.equal(await countOf(database, 'content'), 1, 'the second recipient needs it');
  await first.queue.close();

  await database.write([{ sql: 'update recipient set due = 0', parameters: [] }]);
  second.queue.attach(second.dispatcher);
  await second.queue.admin.retry({ filter: {} }, 'test');
  await until('the second finds the other', () => second.dispatcher.claims.length === 1);
  const [last] = second.dispatcher.claims;
  assert.equal(await second.queue.settle(last!, all(last!, relayed)), 'settled');
  assert.equal(await countOf(database, 'content'), 0);
  assert.deepEqual(
    second.journal.messages.map((logged) => logged.id),
    [id],
    'the log of who ended it has the message too',
  );
  await until(
    'the message row leaves with the log of the second',
    async () => (await countOf(database, 'message')) === 0,
  );
});

test('an end that a crash kept from the log is told again with its message, by the node whose end it was', async (t) => {
  const { database, clock, first, second } = await two(t);
  const journal = testJournal();
  journal.automatic = false;
  await second.queue.close();
  const dying = await startNode(t, { database, clock, number: 1, journal });
  const id = await commit(first, 'a@x.example');
  await first.queue.close();
  dying.queue.attach(dying.dispatcher);
  await dying.queue.admin.retry({ filter: {} }, 'test');
  await until('the other node has it', () => dying.dispatcher.claims.length === 1);
  const [claim] = dying.dispatcher.claims;
  await dying.queue.settle(claim!, all(claim!, relayed));
  await dying.queue.close();
  assert.deepEqual([await countOf(database, 'message'), await countOf(database, 'settled')], [1, 1]);

  const stranger = await startNode(t, { database, clock, number: 2 });
  assert.deepEqual(stranger.journal.recipients, [], 'not the stranger’s');
  const again = await startNode(t, { database, clock, number: 1 });
  assert.deepEqual(
    [again.journal.messages.map((logged) => logged.id), again.journal.recipients.map(({ state }) => state)],
    [[id], ['relayed']],
  );
  await until(
    'nothing is left',
    async () => (await countOf(database, 'message')) + (await countOf(database, 'settled')) === 0,
  );
});

test('messages from before nodes had numbers are the first node’s, whatever their counters look like', async (t) => {
  const database = await memoryDatabase(t, ...queueMigrations);
  const clock = manualClock();
  const first = await startNode(t, { database, clock, number: 0 });
  const id = await commit(first, 'a@x.example');
  await first.queue.close();
  // As they were: twelve bits of a counter.
  const old = keyOf(id)! + 200;
  await database.write([
    { sql: `update message set key = ${old}`, parameters: [] },
    { sql: `update recipient set message = ${old}`, parameters: [] },
    { sql: `update content set message = ${old}`, parameters: [] },
    { sql: "delete from queue_mark where name = 'unnumbered'", parameters: [] },
    { sql: "update queue_mark set value = 0 where name = 'journaled'", parameters: [] },
  ]);
  const fourth = await startNode(t, { database, clock, number: 3 });
  assert.deepEqual(fourth.journal.messages, []);
  const again = await startNode(t, { database, clock, number: 0 });
  assert.deepEqual(
    again.journal.messages.map((logged) => logged.id),
    [idOf(old)],
  );
  const later = createIdSource(clock, keyOf(again.queue.newId())!, 0).next();
  assert.ok(later > old, 'keys of the node still grow');
});
