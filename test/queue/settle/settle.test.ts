import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import type { Claim } from '../../../src/queue/contract.ts';
import { manualClock } from '../../support/clock.ts';
import {
  address,
  all,
  deferred,
  detail,
  failed,
  message,
  recipient,
  relayed,
  startQueue,
  type TestDispatcher,
  testDispatcher,
} from '../support/queue.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Lets what is on its way to the disk arrive. */
async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
}

function next(dispatcher: TestDispatcher): Claim {
  const claim = dispatcher.claims.shift();
  assert.ok(claim, 'a claim was handed out');
  return claim;
}

async function count(node: Awaited<ReturnType<typeof startQueue>>, table: string): Promise<number> {
  const [row] = await node.store.database.read({ sql: `select count(*) as n from ${table}`, parameters: [] });
  return Number(row!.n);
}

test('a message that is delivered at once never has a row, and its end is told to the journal', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const claim = next(dispatcher);
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
  await settled();
  for (const table of ['recipient', 'content', 'settled', 'message']) assert.equal(await count(node, table), 0);
  assert.deepEqual(
    node.journal.recipients.map(({ state }) => state),
    ['relayed'],
  );
});

test('a message that is delivered from its rows leaves nothing behind once the journal has it', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const claim = next(dispatcher);
  assert.ok(await node.queue.admin.open(claim.message.id), 'an operator who reads it has it spilled');
  assert.equal(Buffer.from(claim.content.bytes!).toString().slice(0, 5), 'From:');
  node.journal.automatic = false;
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
  assert.equal(await count(node, 'recipient'), 0);
  assert.equal(await count(node, 'content'), 0);
  assert.equal(await count(node, 'settled'), 1);
  assert.equal(await count(node, 'message'), 1);
  await node.journal.flush();
  // The ledger hears that it was spilled as fast as its disk goes.
  for (let turns = 0; turns < 1000 && (await count(node, 'message')) > 0; turns++) await settled();
  assert.equal(await count(node, 'settled'), 0);
  assert.equal(await count(node, 'message'), 0);
  assert.deepEqual(
    node.journal.recipients.map(({ state }) => state),
    ['relayed'],
  );
});

test('recipients of one destination and variant travel in one claim, others apart', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const edits = [{ kind: 'prepend', raw: 'X-Spam: yes\r\n' }] as const;
  await node.queue.commit(
    await message(node, ['a@x.example', 'b@x.example', recipient('c@x.example', { edits }), 'd@y.example']),
  );
  const groups = dispatcher.claims.map((claim) => claim.recipients.map(({ address: to }) => to.text));
  assert.deepEqual(groups, [['a@x.example', 'b@x.example'], ['c@x.example'], ['d@y.example']]);
  assert.deepEqual(dispatcher.claims[1]!.edits, edits);
});

test('a claim of a slow peer stays its own for as long as it takes', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const claim = next(dispatcher);
  assert.ok(await node.queue.admin.open(claim.message.id), 'it has a row from now on');
  const leaseUntil = async (): Promise<number> => {
    const [row] = await node.store.database.read({ sql: 'select lease_until from recipient', parameters: [] });
    return Number(row!['lease_until']);
  };
  for (let minutes = 0; minutes < 10; minutes++) {
    await clock.advance(MINUTE);
    await settled();
    assert.ok((await leaseUntil()) > clock.now() + MINUTE);
  }
  assert.equal(dispatcher.claims.length, 0);
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
});

test('a deferred recipient comes back after 5 minutes in the first hour, then after 4 hours, with its tries counted', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock, settings: { 'queue.delayWarning': false } });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  for (let attempt = 0; attempt < 12; attempt++) {
    const claim = next(dispatcher);
    assert.equal(claim.recipients[0]!.attempts, attempt);
    await node.queue.settle(claim, all(claim, deferred));
    await clock.advance(5 * MINUTE - 1);
    assert.equal(dispatcher.claims.length, 0, 'not before its time');
    await clock.advance(1);
    await settled();
  }
  const claim = next(dispatcher);
  await node.queue.settle(claim, all(claim, deferred));
  await clock.advance(4 * HOUR - 1);
  assert.equal(dispatcher.claims.length, 0);
  await clock.advance(1);
  await settled();
  assert.equal(dispatcher.claims.length, 1);
});

test('a failure is reported to the sender in the same unit, and a report that fails is reported to nobody', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example', 'b@x.example'], { envid: 'QQ314159', ret: 'full' }));
  const claim = next(dispatcher);
  await node.queue.settle(claim, [failed(0), relayed(1)]);
  const report = next(dispatcher);
  assert.equal(report.message.reversePath, null);
  assert.deepEqual(
    report.recipients.map(({ address: to }) => to.text),
    ['bob@sender.example'],
  );
  const said = await text(report.content.open());
  assert.match(said, /Final-Recipient: rfc822; ?a@x\.example/i);
  assert.match(said, /Action: failed/i);
  assert.match(said, /Original-Envelope-Id: QQ314159/i);
  assert.doesNotMatch(said, /b@x\.example/);
  assert.match(said, /\r\n\r\nbody\r\n/, 'RET=FULL gives the body back');
  await node.queue.settle(report, all(report, failed));
  assert.equal(dispatcher.claims.length, 0);
  assert.equal(await count(node, 'recipient'), 0);
});

test('a failure at the first try was told without the subject: whenever it fails, the report names the message and stands in its thread', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const detail = { subject: 'lunch on Friday', messageIdHeader: '<1@sender.example>', evidence: {}, findings: [] };
  const committed = async (): Promise<Claim> => {
    await node.queue.commit(await message(node, ['a@x.example'], { detail }));
    return next(dispatcher);
  };
  const failing = async (claim: Claim): Promise<string> => {
    await node.queue.settle(claim, all(claim, failed));
    return text(next(dispatcher).content.open());
  };
  const first = await committed();
  const second = await committed();
  await node.queue.settle(second, all(second, deferred));
  await clock.advance(5 * MINUTE);
  await settled();
  const again = next(dispatcher);
  assert.equal(again.message.id, second.message.id);
  for (const claim of [first, again]) {
    const said = await failing(claim);
    assert.match(said, /Subject: +lunch on Friday/);
    assert.match(said, /^In-Reply-To: <1@sender\.example>\r\nReferences: <1@sender\.example>\r\n/m);
  }
});

test('NOTIFY decides who hears of what', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(
    await message(node, [
      recipient('never@x.example', { notify: 'never' }),
      recipient('success@x.example', { notify: ['success'] }),
      recipient('taken@x.example', { notify: ['success'] }),
    ]),
  );
  const claim = next(dispatcher);
  const taken = { ...relayed(2), dsn: true } as const;
  await node.queue.settle(claim, [failed(0), relayed(1), taken]);
  const said = await text(next(dispatcher).content.open());
  assert.match(said, /Action: relayed/i);
  assert.match(said, /success@x\.example/);
  assert.doesNotMatch(said, /never@x\.example|taken@x\.example/);
});

test('an alias with several targets is confirmed as expanded, once', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const target = (to: string) =>
    recipient(to, { original: address('team@local.example'), notify: ['success', 'failure'], expanded: true });
  await node.queue.commit(await message(node, [target('a@x.example'), target('b@x.example')]));
  const [copies, report] = [next(dispatcher), next(dispatcher)];
  assert.deepEqual(
    copies.recipients.map(({ notify }) => notify),
    [['failure'], ['failure']],
  );
  const said = await text(report.content.open());
  assert.match(said, /Action: expanded/i);
  assert.equal(said.match(/Final-Recipient/gi)?.length, 1);
});

test('a trusted sender hears of a recipient that was refused too late for a reply, as NOTIFY asks', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const tellSender = { code: 550, enhanced: '5.7.1', text: 'not to this one' };
  const state = { held: 'admin', reason: 'late refusal', tellSender } as const;
  const late = [recipient('late@x.example', { state }), recipient('never@x.example', { state, notify: 'never' })];
  await node.queue.commit(await message(node, [recipient('a@x.example', {}), ...late]));
  const [copy, report] = [next(dispatcher), next(dispatcher)];
  assert.equal(copy.recipients.length, 1);
  const said = await text(report.content.open());
  assert.match(said, /Final-Recipient: rfc822;\s*late@x\.example/i);
  assert.match(said, /550 5\.7\.1 not to this one/);
  assert.doesNotMatch(said, /never@x\.example/);
});

test('what fails under a forged sender address is held for an administrator, and nobody is told', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example'], { forged: true }));
  const claim = next(dispatcher);
  await node.queue.settle(claim, all(claim, failed));
  assert.equal(dispatcher.claims.length, 0);
  const { rows } = await node.queue.admin.list({}, {});
  assert.deepEqual(
    rows.map(({ state, class: of }) => [state, of]),
    [['held', 'admin']],
  );
  assert.ok(node.told.includes('queue.forged-sender-held'));
});

test('the sender is warned of a delay once, and told when the time for trying is over', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  await node.queue.commit(await message(node, ['a@x.example']));
  await clock.advance(4 * HOUR + 2 * MINUTE);
  const reports = async () =>
    (await node.queue.admin.list({ from: '' }, {})).rows.filter(({ to }) => to === 'bob@sender.example').length;
  assert.equal(await reports(), 1);
  await clock.advance(24 * HOUR);
  assert.equal(await reports(), 1, 'warned once');
  await clock.advance(92 * HOUR);
  assert.equal(await reports(), 2, 'and told of the end');
  assert.deepEqual(
    node.journal.recipients.map(({ state, reply }) => `${state}: ${reply}`),
    ['queued: the sender was told of the delay', 'expired: trying ended after 5 days: no try was possible in time'],
  );
});

test('an expiry was logged as the last try, with its time: it has its own, and says with the report that trying ended, and after what', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const claim = next(dispatcher);
  const full = detail('4.2.2', '452 4.2.2 mailbox full', { at: clock.now() });
  await node.queue.settle(
    claim,
    all(claim, (row) => ({ ...deferred(row), detail: full })),
  );
  // So that no further try ends it.
  const never = clock.now() + 1000 * HOUR;
  await node.store.database.write([{ sql: 'update recipient set due = ?, warned = 1', parameters: [never] }]);
  await clock.advance(5 * 24 * HOUR + MINUTE);
  await settled();
  const [tried, expired] = node.journal.recipients;
  assert.deepEqual([tried!.state, tried!.at], ['queued', full.at]);
  assert.equal(expired!.state, 'expired');
  assert.ok(expired!.at >= full.at + 5 * 24 * HOUR, 'at its own time');
  assert.equal(expired!.status, '4.4.7');
  assert.equal(expired!.reply, 'trying ended after 5 days: 452 4.2.2 mailbox full');
  const said = await text(next(dispatcher).content.open());
  assert.match(said.replaceAll(/\s+/g, ' '), /not be delivered in the time allowed for it\. We tried for 5 days\./);
  assert.match(
    said,
    /^Status: 4\.4\.7\r\nRemote-MTA: dns; mx\.remote\.example\r\nDiagnostic-Code: smtp; 452 4\.2\.2 mailbox full/m,
  );
});

test('the last try of all, and a forged sender’s expiry, say that trying ended, too', async (t) => {
  const clock = manualClock();
  const node = await startQueue(t, { clock, settings: { 'queue.expiryDays': 1, 'queue.delayWarning': false } });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  await node.queue.commit(await message(node, ['b@x.example'], { forged: true }));
  const claims = dispatcher.claims.splice(0);
  await clock.advance(24 * HOUR);
  for (const claim of claims) await node.queue.settle(claim, all(claim, deferred));
  assert.deepEqual(
    node.journal.recipients.map(({ state, at, reply }) => [state, at, reply]),
    ['expired', 'held'].map((state) => [state, clock.now(), 'trying ended after 1 day: 450 4.2.0 later']),
  );
  const [row] = (await node.queue.admin.list({ state: 'held' }, {})).rows;
  assert.equal(row!.lastReply, '450 4.2.0 later');
});

test('content that cannot be read is held for an operator, named, and stops nothing else', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const claim = next(dispatcher);
  const unreadable = { row: 0, kind: 'unreadable', detail: detail('4.3.0', 'content.corrupt') } as const;
  await node.queue.settle(claim, [unreadable]);
  const { rows } = await node.queue.admin.list({ state: 'held' }, {});
  assert.deepEqual(
    rows.map(({ class: of }) => of),
    ['operator'],
  );
  assert.ok(node.told.includes('queue.content-lost'));
});

test('memory that the store keeps for a message is given back when the last of its deliveries is over', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  const text = `Subject: kept\r\n\r\n${'x'.repeat(100_000)}\r\n`;
  const committed = async (to: readonly string[]) => {
    const made = await message(node, to, { text });
    let released = 0;
    const release = (): void => {
      released++;
      made.content.release!();
    };
    const { content } = made;
    const { pieces, home } = content;
    const watched = { ...content, pieces: pieces!, home, open: content.open, release, discard() {} };
    await node.queue.commit({ ...made, content: watched });
    return () => released;
  };
  const two = await committed(['a@x.example', 'b@y.example']);
  const [first, second] = [next(dispatcher), next(dispatcher)];
  assert.ok(first.content.pieces && second.content.pieces, 'delivered without a look at the file');
  await node.queue.settle(first, all(first, relayed));
  assert.equal(two(), 0);
  await node.queue.settle(second, all(second, deferred));
  assert.equal(two(), 1);
  node.queue.destinationFailed('z.example', 'cannot connect');
  const putOff = await committed(['c@z.example']);
  await settled();
  assert.equal(putOff(), 1);
});

test('of a try over many hosts with much to say, the last ones are journalled, each in brief', async (t) => {
  const node = await startQueue(t, { clock: manualClock() });
  const dispatcher = testDispatcher();
  node.queue.attach(dispatcher);
  await node.queue.commit(await message(node, ['a@x.example']));
  const claim = next(dispatcher);
  const earlier = Array.from({ length: 30 }, (_, i) => ({
    host: `mx${i}.x.example`,
    address: '192.0.2.1',
    reply: 'no'.repeat(500),
  }));
  const results = all(claim, relayed).map((result) => ({ ...result, detail: { ...result.detail, earlier } }));
  assert.equal(await node.queue.settle(claim, results), 'settled');
  await settled();
  const told = node.journal.recipients[0]!.earlier!;
  assert.deepEqual([told.length, told.at(-1)!.host, told[0]!.reply.length], [10, 'mx29.x.example', 200]);
});
