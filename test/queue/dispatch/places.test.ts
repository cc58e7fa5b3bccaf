/** What happens to mail that comes faster than its destination takes it. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { BUFFERED_PER_DESTINATION, PLACE_WAIT_MS } from '../../../src/queue/limits.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';
import {
  all,
  deferred,
  message,
  relayed,
  startQueue,
  type TestDispatcher,
  type TestNode,
  testDispatcher,
} from '../support/queue.ts';

interface Crowded {
  readonly node: TestNode;
  readonly clock: ManualClock;
  readonly dispatcher: TestDispatcher;
  /** One more than there are places for. */
  readonly late: Promise<void>;
  isIn(): boolean;
}

async function crowded(t: TestContext): Promise<Crowded> {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  const dispatcher = testDispatcher(1);
  node.queue.attach(dispatcher);
  const commit = async (): Promise<void> => node.queue.commit(await message(node, ['a@x.example']));
  await commit();
  assert.equal(dispatcher.claims.length, 1);
  await Promise.all(Array.from({ length: BUFFERED_PER_DESTINATION }, commit));
  let isIn = false;
  const late = commit().then(() => {
    isIn = true;
  });
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal(isIn, false, 'it waits for a place');
  return { node, clock, dispatcher, late, isIn: () => isIn };
}

async function rows(node: TestNode): Promise<number> {
  const [row] = await node.store.database.read({ sql: 'select count(*) as n from recipient', parameters: [] });
  return Number(row!.n);
}

test('where mail flows, a commit waits until the mail before it has gone, and needs no row', async (t) => {
  const { node, dispatcher, late } = await crowded(t);
  const [claim] = dispatcher.claims.splice(0);
  await node.queue.settle(claim!, all(claim!, relayed));
  await late;
  assert.equal(await rows(node), 0);
});

test('a commit that waited in vain for a place has a row', async (t) => {
  const { node, clock, late } = await crowded(t);
  await clock.advance(PLACE_WAIT_MS);
  await late;
  assert.equal(await rows(node), 1);
});

test('no commit waits for a destination that fails', async (t) => {
  const { node, dispatcher, late } = await crowded(t);
  node.queue.destinationFailed('x.example', 'cannot connect');
  await late;
  const [claim] = dispatcher.claims.splice(0);
  await node.queue.settle(claim!, all(claim!, deferred));
  assert.deepEqual(await node.queue.admin.counts(), { queued: BUFFERED_PER_DESTINATION + 2, held: 0 });
});
