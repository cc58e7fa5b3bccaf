/** Holding all mail of an author, wherever it is. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Claim } from '../../../src/queue/contract.ts';
import {
  type Attached,
  attached,
  commit,
  count,
  crashed,
  hangingLedger,
  next,
  rows,
  settled,
  states,
  until,
} from '../support/inline.ts';
import { all, deferred, failed, message, recipient, relayed } from '../support/queue.ts';

const MALLORY = 'mallory@local.example';
const hold = { class: 'admin', reason: 'his account is frozen' } as const;
const by = (author: string) => ({ author });

/** A dispatcher that gives up each claim that it is asked to, as delivery does before the final dot. */
function stopping(
  node: Attached,
  results: (claim: Claim) => Parameters<Attached['queue']['settle']>[1] = () => [],
): void {
  node.dispatcher.stop = (lease) => {
    const at = node.dispatcher.claims.findIndex((claim) => claim.lease === lease);
    if (at < 0) return false;
    const [claim] = node.dispatcher.claims.splice(at, 1);
    void node.queue.settle(claim!, results(claim!));
    return true;
  };
}

test('all mail of an author is held, inline, waiting and being tried; that of others goes on', async (t) => {
  const node = await attached(t, { places: 2 });
  stopping(node);
  const mine = [
    await commit(node, 'a@tried.example', by(MALLORY)),
    await commit(node, 'b@other.example', by('bob@local.example')),
    await commit(node, 'c@buffered.example', by(MALLORY)),
    await commit(node, 'd@buffered.example', by('bob@local.example')),
  ];
  const several = [recipient('e@waits.example'), recipient('f@waits-too.example')];
  const wide = await message(node, several, by(MALLORY));
  await node.queue.commit(wide);
  assert.deepEqual(await node.queue.admin.holdAuthor(MALLORY, hold, 'root'), { held: 4, underWay: 0 });
  const [tried, other, buffered, others] = mine;
  assert.deepEqual(await rows(node), [
    `${tried} held`,
    `${other} queued`,
    `${buffered} held`,
    `${others} queued`,
    `${wide.id} held`,
    `${wide.id} held`,
  ]);
  assert.deepEqual(
    node.journal.recipients.map(({ state, by: actor, reply }) => [state, actor, reply]),
    Array.from({ length: 4 }, () => ['held', 'root', hold.reason]),
  );
  assert.deepEqual((await rows(await crashed(t, node))).filter((row) => row.endsWith('held')).length, 4);
  assert.equal(await node.queue.admin.release({ filter: { class: 'admin' } }, 'root'), 4);
});

test('the answer to a message that the next host had all of counts: taken is gone, later is held, no is returned', async (t) => {
  const node = await attached(t);
  for (const to of ['a@taken.example', 'b@later.example', 'c@no.example'])
    await commit(node, to, { ...by(MALLORY), reversePath: null });
  const claims = node.dispatcher.claims.splice(0);
  assert.deepEqual(await node.queue.admin.holdAuthor(MALLORY, hold, 'root'), { held: 0, underWay: 3 });
  const answers = [relayed, deferred, failed];
  for (const [at, claim] of claims.entries())
    assert.equal(await node.queue.settle(claim, all(claim, answers[at]!)), 'settled');
  assert.deepEqual(states(node), ['relayed', 'held', 'bounced']);
  const { rows: left } = await node.queue.admin.list({}, {});
  assert.deepEqual(
    left.map(({ to, state, class: decides, attempts }) => [to, state, decides, attempts]),
    [['b@later.example', 'held', 'admin', 1]],
  );
});

test('a crash before the answer comes leaves it held, and not tried again', async (t) => {
  const node = await attached(t);
  await commit(node, 'a@x.example', by(MALLORY));
  await node.queue.admin.holdAuthor(MALLORY, hold, 'root');
  const after = await crashed(t, node);
  assert.equal(after.dispatcher.claims.length, 0);
  const { rows: left } = await after.queue.admin.list({}, {});
  assert.deepEqual(
    left.map(({ state, class: decides, holdReason }) => [state, decides, holdReason]),
    [['held', 'admin', hold.reason]],
  );
});

test('recipients that had their answer before the try was stopped keep it', async (t) => {
  const node = await attached(t);
  stopping(node, (claim) => [relayed(claim.recipients[0]!.row)]);
  await node.queue.commit(await message(node, ['a@x.example', 'b@x.example'], by(MALLORY)));
  assert.deepEqual(await node.queue.admin.holdAuthor(MALLORY, hold, 'root'), { held: 1, underWay: 0 });
  assert.deepEqual(states(node), ['relayed', 'held']);
  const { rows: left } = await node.queue.admin.list({}, {});
  assert.deepEqual(
    left.map(({ to, state }) => `${to} ${state}`),
    ['b@x.example held'],
  );
});

test('a message whose commit is under way is held as soon as it is durable, and nobody gets it', async (t) => {
  const ledger = hangingLedger(t);
  const node = await attached(t, { disk: ledger.disk });
  ledger.hang();
  const committing = commit(node, 'a@x.example', by(MALLORY));
  await settled();
  const holding = node.queue.admin.holdAuthor(MALLORY, hold, 'root');
  await settled();
  ledger.go();
  const id = await committing;
  assert.deepEqual(await holding, { held: 1, underWay: 0 });
  assert.equal(node.dispatcher.claims.length, 0);
  assert.deepEqual(await rows(node), [`${id} held`]);
});

test('a deferral that waits to be written together with others is held', async (t) => {
  const node = await attached(t);
  await commit(node, 'a@first.example');
  await commit(node, 'b@second.example', by(MALLORY));
  const settling = node.dispatcher.claims.splice(0).map((claim) => node.queue.settle(claim, all(claim, deferred)));
  await settling[0];
  assert.deepEqual(await node.queue.admin.holdAuthor(MALLORY, hold, 'root'), { held: 1, underWay: 0 });
  await Promise.all(settling);
  assert.deepEqual(states(node), ['queued', 'held']);
});

test('an author’s mail held until a time is let go then', async (t) => {
  const node = await attached(t);
  stopping(node);
  const id = await commit(node, 'a@x.example', by(MALLORY));
  const end = { at: node.clock.now() + 60_000, to: 'queued' } as const;
  assert.equal((await node.queue.admin.holdAuthor(MALLORY, { ...hold, until: end }, 'root')).held, 1);
  await node.clock.advance(60_000);
  await until(() => node.dispatcher.claims.length === 1);
  assert.equal(next(node).message.id, id);
  assert.equal(await count(node, 'recipient'), 1);
});

test('rows that an operator takes while they are being made into a claim are handed to nobody', async (t) => {
  const node = await attached(t, { places: 0 });
  await commit(node, 'a@x.example');
  node.queue.destinationFailed('x.example', 'cannot connect');
  await until(async () => (await count(node, 'recipient where lease is null')) === 1);
  node.dispatcher.places = 10;
  const { read } = node.store.database;
  let isLeased = (): void => undefined;
  const leased = new Promise<void>((resolve) => {
    isLeased = resolve;
  });
  let goOn = (): void => undefined;
  const act = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let isFirst = true;
  t.mock.method(node.store.database, 'read', async (statement: Parameters<typeof read>[0]) => {
    if (isFirst && statement.sql.includes('from "message"')) {
      isFirst = false;
      isLeased();
      await act;
    }
    return read(statement);
  });
  await node.clock.advance(31_000);
  await leased;
  assert.equal(await node.queue.admin.hold({ filter: {} }, 'wait', 'root'), 1);
  goOn();
  await settled();
  assert.deepEqual(node.dispatcher.claims, []);
  const { rows: shown } = await node.queue.admin.list({}, {});
  assert.deepEqual(
    shown.map(({ state }) => state),
    ['held'],
  );
});
