import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { manualClock } from '../../support/clock.ts';
import { address, all, deferred, message, recipient, relayed, startQueue, testDispatcher } from '../support/queue.ts';

const held = { held: 'admin', reason: 'looks odd' } as const;

/** Lets what is on its way to the disk arrive. */
async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function withRows(t: TestContext) {
  const node = await startQueue(t, { clock: manualClock() });
  await node.queue.commit(
    await message(node, ['a@x.example', recipient('b@x.example', { state: held }), 'c@y.example']),
  );
  const states = async () => (await node.queue.admin.list({}, {})).rows.map(({ to, state }) => `${to} ${state}`);
  return { node, admin: node.queue.admin, states };
}

test('a list shows active rows page by page, and filters by state, class, sender and recipient', async (t) => {
  const { admin } = await withRows(t);
  const first = await admin.list({}, { limit: 2 });
  assert.deepEqual(
    first.rows.map(({ to }) => to),
    ['a@x.example', 'b@x.example'],
  );
  const second = await admin.list({}, { limit: 2, cursor: first.cursor });
  assert.deepEqual(
    second.rows.map(({ to }) => to),
    ['c@y.example'],
  );
  const found = async (filter: Parameters<typeof admin.list>[0]) => (await admin.list(filter, {})).rows.length;
  assert.equal(await found({ state: 'held' }), 1);
  assert.equal(await found({ class: 'operator' }), 0);
  assert.equal(await found({ to: 'x.example' }), 2);
  assert.equal(await found({ to: 'C@Y.example' }), 1);
  assert.equal(await found({ from: 'sender.example' }), 3);
  assert.equal(await found({ from: '' }), 0);
  assert.deepEqual(await admin.counts(), { queued: 2, held: 1 });
});

test('hold and release take a row out of delivery and bring it back', async (t) => {
  const { node, admin, states } = await withRows(t);
  const { rows } = await admin.list({ to: 'a@x.example' }, {});
  assert.equal(await admin.hold({ ids: [rows[0]!.id] }, 'wait', 'root'), 1);
  assert.deepEqual(await states(), ['a@x.example held', 'b@x.example held', 'c@y.example queued']);
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  assert.equal(await admin.release({ filter: { state: 'held' } }, 'root'), 2);
  assert.deepEqual(await states(), ['a@x.example queued', 'b@x.example queued', 'c@y.example queued']);
  assert.deepEqual(
    node.journal.recipients.map(({ state, by }) => `${state} ${by}`),
    ['held root', 'queued root', 'queued root'],
  );
});

test('a retry of many destinations has failures forgotten once, and their back-off is over', async (t) => {
  const { node, admin } = await withRows(t);
  for (const destination of ['x.example', 'y.example']) node.queue.destinationFailed(destination, 'cannot connect');
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  let forgotten = 0;
  dispatcher.forgetFailures = () => void forgotten++;
  await settled();
  assert.equal(dispatcher.claims.length, 0);
  assert.equal(await admin.retry({ filter: {} }, 'root'), 2);
  await settled();
  assert.deepEqual(
    dispatcher.claims.map(({ destination }) => destination),
    ['x.example', 'y.example'],
  );
  assert.equal(forgotten, 1);
});

test('mail for a destination in back-off was shown as due for long: it says when it is tried, and what the destination met', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const { admin } = node.queue;
  await node.queue.commit(await message(node, ['a@x.example', recipient('held@x.example', { state: held })]));
  const [claim] = dispatcher.claims.splice(0);
  node.queue.destinationFailed('x.example', 'cannot connect to mx.x.example');
  await node.queue.settle(claim!, all(claim!, deferred));
  await clock.advance(10_000);
  await node.queue.commit(await message(node, ['b@x.example']));
  const shown = async () =>
    Object.fromEntries((await admin.list({}, {})).rows.map(({ to, due, waitReason }) => [to, [due, waitReason]]));
  const inMs = (ms: number) => new Date(clock.now() + ms).toISOString();
  assert.deepEqual(await shown(), {
    'a@x.example': [inMs(5 * 60_000 - 10_000), null],
    'held@x.example': [null, null],
    'b@x.example': [inMs(20_000), 'x.example backs off: cannot connect to mx.x.example'],
  });
  const [row] = (await admin.list({ to: 'b@x.example' }, {})).rows;
  const { recipients } = (await admin.show(row!.messageId))!;
  assert.deepEqual(recipients, [{ ...row, last: null }]);
  await clock.advance(20_000);
  await settled();
  assert.equal(dispatcher.claims.length, 1, 'then it is tried');
  assert.deepEqual((await shown())['b@x.example'], [inMs(-20_000), null]);
});

test('a hold is logged as itself, with its own time, and keeps what the last try met', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const claim = dispatcher.claims[0]!;
  await node.queue.settle(claim, all(claim, deferred));
  await clock.advance(60_000);
  await node.queue.admin.hold({ filter: {} }, 'wait', 'root');
  const last = node.journal.recipients.at(-1)!;
  assert.deepEqual([last.state, last.at, last.reply, last.host], ['held', clock.now(), 'wait', undefined]);
  const [row] = (await node.queue.admin.list({}, {})).rows;
  assert.deepEqual([row!.state, row!.lastReply], ['held', '450 4.2.0 later']);
});

test('redirect ends the row and makes a new one, whose sender’s wishes stay', async (t) => {
  const { node, admin, states } = await withRows(t);
  const { rows } = await admin.list({ state: 'held' }, {});
  assert.equal(await admin.redirect({ ids: [rows[0]!.id] }, address('boss@local.example'), 'root'), 1);
  assert.deepEqual(await states(), ['a@x.example queued', 'c@y.example queued', 'boss@local.example queued']);
  assert.deepEqual(
    node.journal.recipients.map(({ state }) => state),
    ['redirected'],
  );
});

test('bounce tells the sender why, delete tells nobody, and a message without rows is gone', async (t) => {
  const { node, admin } = await withRows(t);
  const id = (await admin.list({}, {})).rows[0]!.messageId;
  assert.equal(await admin.bounce({ filter: { to: 'a@x.example' } }, 'we do not send this', 'root'), 1);
  assert.equal(await admin.delete({ ids: [id] }, 'root'), 2);
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await settled();
  assert.equal(dispatcher.claims.length, 1);
  assert.match(await text(dispatcher.claims[0]!.content.open()), /we do not send this/);
  assert.equal(await admin.show(id), undefined);
});

test('an operator’s delete voids a delivery in flight, and its neighbours still settle', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example', 'b@x.example']));
  const claim = dispatcher.claims[0]!;
  await node.queue.admin.delete({ filter: { to: 'a@x.example' } }, 'root');
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'void');
  assert.deepEqual(
    node.journal.recipients.map(({ recipient: to, state }) => `${to} ${state}`),
    ['a@x.example deleted', 'a@x.example deleted', 'b@x.example relayed'],
  );
});

test('the other side’s answer to mail that an operator took meanwhile was not logged: it is, and the operator’s state stands', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const { admin } = node.queue;
  const acts = {
    held: () => admin.hold({ filter: { to: 'x.example' } }, 'wait', 'root'),
    bounced: () => admin.bounce({ filter: { to: 'x.example' } }, 'not this', 'root'),
    deleted: () => admin.delete({ filter: { to: 'x.example' } }, 'root'),
    redirected: () => admin.redirect({ filter: { to: 'x.example' } }, address('c@y.example'), 'root'),
  };
  for (const [state, act] of Object.entries(acts)) {
    await node.queue.commit(await message(node, ['a@x.example']));
    const claim = dispatcher.claims.find(({ destination }) => destination === 'x.example')!;
    dispatcher.claims.length = 0;
    node.journal.recipients.length = 0;
    assert.equal(await act(), 1);
    assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'void');
    assert.deepEqual(
      node.journal.recipients.map((one) => [one.state, one.by, one.host]),
      [
        [state, 'root', undefined],
        [state, undefined, 'mx.remote.example'],
      ],
    );
    assert.equal(node.journal.recipients[1]!.reply, 'the delivery that was under way ended with: 250 2.0.0 ok');
    await admin.delete({ filter: {} }, 'root');
  }
});

test('mail that was held, released and delivered again while the first try went on is logged as delivered twice', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const [first] = dispatcher.claims.splice(0);
  await node.queue.admin.hold({ filter: {} }, 'wait', 'root');
  await node.queue.admin.release({ filter: {} }, 'root');
  await settled();
  const [second] = dispatcher.claims.splice(0);
  await node.queue.settle(second!, all(second!, relayed));
  assert.equal(await node.queue.settle(first!, all(first!, relayed)), 'void');
  assert.deepEqual(
    node.journal.recipients.map(({ state, reply }) => `${state}: ${reply}`),
    [
      'held: wait',
      'queued: released',
      'relayed: 250 2.0.0 ok',
      'relayed: the delivery that was under way ended with: 250 2.0.0 ok',
    ],
  );
});
