/** Holds that end by the clock, and who may decide about held mail. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { HoldEnd, NewRecipient } from '../../../src/queue/contract.ts';
import { attached, commit, count, crashed, next, rows, settled, states, until } from '../support/inline.ts';
import { all, message, recipient, relayed, type TestNode } from '../support/queue.ts';

const HOUR_MS = 3_600_000;

const held = (to: string, until?: HoldEnd, by: 'user' | 'admin' = 'user'): NewRecipient =>
  recipient(to, { state: { held: by, reason: 'looks like spam', ...(until && { until }) } });

async function commitHeld(node: TestNode, recipients: readonly NewRecipient[]): Promise<string> {
  const made = await message(node, recipients);
  await node.queue.commit(made);
  return made.id;
}

test('what is held until a time is let go by the clock then, not before, and logged as its act', async (t) => {
  const node = await attached(t);
  const at = node.clock.now() + HOUR_MS;
  const id = await commitHeld(node, [held('a@x.example', { at, to: 'queued' }), held('b@x.example')]);
  await node.clock.advance(HOUR_MS - 1);
  assert.deepEqual(await rows(node), [`${id} held`, `${id} held`]);
  await node.clock.advance(1);
  await until(() => node.dispatcher.claims.length === 1);
  const claim = next(node);
  assert.deepEqual(
    claim.recipients.map(({ address }) => address.text),
    ['a@x.example'],
  );
  assert.deepEqual(
    node.journal.recipients.map(({ state, by, reply }) => [state, by, reply]),
    [['queued', undefined, 'the time of its hold is over']],
  );
  await node.queue.settle(claim, all(claim, relayed));
  assert.deepEqual(await rows(node), [`${id} held`]);
});

test('what is to be deleted in time is deleted with its content, and nobody is told', async (t) => {
  const node = await attached(t);
  const at = node.clock.now() + HOUR_MS;
  await commitHeld(node, [held('a@x.example', { at, to: 'deleted' }), held('b@x.example', { at, to: 'deleted' })]);
  await node.clock.advance(HOUR_MS);
  await until(async () => (await count(node, 'recipient')) === 0);
  assert.deepEqual(states(node), ['deleted', 'deleted']);
  assert.equal(await count(node, 'content'), 0);
  assert.equal(node.dispatcher.claims.length, 0);
});

test('a hold that is over while the node is down ends at its start', async (t) => {
  const node = await attached(t);
  const at = node.clock.now() + HOUR_MS;
  const id = await commitHeld(node, [held('a@x.example', { at, to: 'queued' })]);
  const soon = await crashed(t, node);
  assert.deepEqual(await rows(soon), [`${id} held`]);
  await node.clock.advance(2 * HOUR_MS);
  const later = await crashed(t, node);
  await until(() => later.dispatcher.claims.length === 1);
});

test('an earlier hold wakes the clock before a later one, and what was released or held anew is not let go', async (t) => {
  const node = await attached(t, { places: 0 });
  const now = node.clock.now();
  const late = await commitHeld(node, [held('a@x.example', { at: now + 5 * HOUR_MS, to: 'queued' })]);
  const early = await commitHeld(node, [held('b@y.example', { at: now + HOUR_MS, to: 'queued' })]);
  const gone = await commitHeld(node, [held('c@z.example', { at: now + HOUR_MS, to: 'deleted' })]);
  assert.equal(await node.queue.admin.release({ ids: [gone] }, 'root'), 1);
  await node.clock.advance(HOUR_MS);
  await until(async () => (await rows(node)).includes(`${early} queued`));
  assert.deepEqual(await rows(node), [`${late} held`, `${early} queued`, `${gone} queued`]);
});

test('an operator holds until a time, and a failing database only delays its end', async (t) => {
  const node = await attached(t);
  const id = await commit(node);
  const end: HoldEnd = { at: node.clock.now() + HOUR_MS, to: 'queued' };
  assert.equal(await node.queue.admin.hold({ ids: [id] }, 'wait', 'root', end), 1);
  assert.deepEqual(await rows(node), [`${id} held`]);
  const { read } = node.store.database;
  const failing = t.mock.method(node.store.database, 'read', () => Promise.reject(new Error('away')));
  await node.clock.advance(HOUR_MS);
  await until(() => node.told.includes('queue.work-failed'));
  failing.mock.restore();
  assert.equal(node.store.database.read, read);
  await node.clock.advance(1000);
  await until(() => node.dispatcher.claims.length === 2);
});

test('a recipient releases what is held for him to decide, and nothing else of a selection', async (t) => {
  const node = await attached(t);
  const id = await commitHeld(node, [
    held('alice@x.example'),
    held('carol@x.example'),
    held('alice@x.example', undefined, 'admin'),
  ]);
  const alice = { account: 'alice@local.example', addresses: ['ALICE@x.example'] };
  assert.equal(await node.queue.admin.releaseOwn({ ids: [id] }, alice), 1);
  await until(() => node.dispatcher.claims.length === 1);
  const [{ state, by, reply }] = node.journal.recipients as [(typeof node.journal.recipients)[0]];
  assert.deepEqual([state, by, reply], ['queued', 'alice@local.example', 'released by its recipient']);
  assert.deepEqual(
    (await rows(node)).map((row) => row.split(' ')[1]),
    ['queued', 'held', 'held'],
  );
  assert.equal(await node.queue.admin.releaseOwn({ ids: [id] }, alice), 0);
});

test('somebody else may be made to decide about held mail; what is queued has nobody to decide', async (t) => {
  const node = await attached(t, { places: 0 });
  const id = await commitHeld(node, [held('alice@x.example'), recipient('bob@y.example')]);
  assert.equal(await node.queue.admin.reclass({ ids: [id] }, 'admin', 'root'), 1);
  await settled();
  const { rows: shown } = await node.queue.admin.list({}, {});
  assert.deepEqual(
    shown.map((row) => row.class),
    ['admin', null],
  );
  assert.deepEqual(
    node.journal.recipients.map(({ state, by, reply }) => [state, by, reply]),
    [['held', 'root', 'held for an administrator to decide']],
  );
  assert.equal(await node.queue.admin.release({ filter: { class: 'admin' } }, 'root'), 1);
});
