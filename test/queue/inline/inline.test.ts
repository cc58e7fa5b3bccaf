/** The inline way: what is noted in the ledger alone is as safe, and as much in an operator's hand, as what has rows. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { isOperational } from '../../../src/model/errors.ts';
import type { AttemptResult, Claim } from '../../../src/queue/contract.ts';
import { BUFFERED_PER_DESTINATION, INLINE_SEGMENTS_MOST } from '../../../src/queue/limits.ts';
import { LATE_ANSWER } from '../../../src/queue/settle/late-answers.ts';
import { quickDisk } from '../../store/support/ledger.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';
import {
  type Attached,
  attached,
  commit,
  count,
  crashed,
  failingLedger,
  inTime,
  ledgerFiles,
  leftBy,
  next,
  rows,
  settled,
  states,
  until,
} from '../support/inline.ts';
import { all, deferred, failed, relayed, startQueue, type TestNode, testJournal } from '../support/queue.ts';

test('accepted and not settled before a crash: queued once, however many crashes follow', async (t) => {
  const first = await attached(t);
  const ids = [await commit(first), await commit(first, 'b@y.example'), await commit(first)];
  assert.equal(await count(first, 'message'), 0, 'none has a row');
  let node = first;
  for (let crash = 0; crash < 3; crash++) {
    node = await crashed(t, node);
    assert.deepEqual(node.dispatcher.claims.map(({ message: { id } }) => id).sort(), ids);
    if (crash === 0) assert.deepEqual(node.journal.messages.map(({ id }) => id).sort(), ids, 'and told again');
  }
  assert.equal(Buffer.from(next(node).content.bytes!).toString().slice(0, 5), 'From:');
});

test('delivered before a crash, and not yet in the journal: told to it again, and not queued', async (t) => {
  const journal = testJournal();
  journal.automatic = false;
  const first = await attached(t, { journal });
  const id = await commit(first);
  const claim = next(first);
  await first.queue.settle(claim, all(claim, relayed));
  const second = await crashed(t, first);
  assert.deepEqual(await rows(second), []);
  assert.deepEqual(second.journal.recipients, first.journal.recipients);
  assert.deepEqual(
    second.journal.messages.map((record) => record.id),
    [id],
  );
  await settled();
  for (const table of ['message', 'recipient', 'content', 'settled'])
    assert.equal(await count(second, table), 0, table);
});

test('what was spilled before a crash is queued once, from its rows', async (t) => {
  const first = await attached(t);
  const id = await commit(first);
  assert.deepEqual(await rows(first), [`${id} queued`]);
  assert.deepEqual(await rows(await crashed(t, first)), [`${id} queued`]);
});

test('a start that is cut short when all is in the database, and before the ledger is cleared, repeats nothing', async (t) => {
  const journal = testJournal();
  journal.automatic = false;
  const first = await attached(t, { journal });
  const [done, waiting] = [await commit(first), await commit(first)];
  const claim = next(first);
  await first.queue.settle(claim, all(claim, relayed));
  let cutShort = '';
  const folder = leftBy(t, first.folder);
  const disk = quickDisk((call, path) => {
    if (call === 'remove' && path.endsWith('.ledger')) cutShort ||= leftBy(t, folder);
  });
  await attached(t, { folder, disk, clock: first.clock });
  const third = await attached(t, { folder: cutShort, clock: first.clock });
  assert.deepEqual(await rows(third), [`${waiting} queued`]);
  assert.deepEqual(
    third.journal.recipients.map(({ message: id, state }) => [id, state]),
    [[done, 'relayed']],
  );
  assert.deepEqual(ledgerFiles(third).length, 0);
});

test('a close in order leaves nothing in the ledger once the journal has all, and what is on its way otherwise', async (t) => {
  for (const isDelivered of [true, false]) {
    const node = await attached(t);
    const id = await commit(node);
    const claim = next(node);
    if (isDelivered) await node.queue.settle(claim, all(claim, relayed));
    await node.queue.close();
    await node.journal.flush();
    await node.store.close();
    assert.equal(ledgerFiles(node).length, isDelivered ? 0 : 1);
    const second = await attached(t, { folder: node.folder, clock: node.clock });
    assert.deepEqual(await rows(second), isDelivered ? [] : [`${id} queued`]);
    assert.equal(second.told.includes('queue.recovered'), !isDelivered);
  }
});

test('while the ledger’s disk is full mail is refused, and neither files nor places in the queue are lost', async (t) => {
  const fault: { code?: string | undefined } = {};
  const node = await attached(t, { disk: failingLedger(fault) });
  await commit(node);
  const large = { text: `Subject: large\r\n\r\n${'x'.repeat(300_000)}\r\n` };
  fault.code = 'ENOSPC';
  for (let n = 0; n < BUFFERED_PER_DESTINATION + 1; n++)
    await assert.rejects(commit(node, 'a@x.example', n < 3 ? large : {}), { code: 'store.full' });
  const content = join(node.folder, 'content');
  await until(() => readdirSync(content).every((name) => readdirSync(join(content, name)).length === 0));
  assert.ok(ledgerFiles(node).length <= 2);
  fault.code = undefined;
  const id = await commit(node);
  assert.deepEqual([node.dispatcher.claims.length, node.dispatcher.claims[1]!.message.id], [2, id]);
  const second = await crashed(t, node);
  assert.equal((await rows(second)).length, 2, 'none that was refused comes back');
});

test('where the ledger does not take the end of a message, the database does', async (t) => {
  const fault: { code?: string | undefined; left?: number } = {};
  const node = await attached(t, { disk: failingLedger(fault) });
  await commit(node);
  const claim = next(node);
  Object.assign(fault, { code: 'EIO', left: 1 });
  assert.equal(await node.queue.settle(claim, all(claim, relayed)), 'settled');
  assert.deepEqual(states(node), ['relayed']);
  assert.deepEqual(await rows(await crashed(t, node)), []);
  await settled();
  for (const table of ['message', 'recipient', 'content', 'settled']) assert.equal(await count(node, table), 0, table);
});

test('a message in a file keeps it until it is over, also over a crash, and the sweep knows while it has no row', async (t) => {
  const node = await attached(t);
  const text = `Subject: large\r\n\r\n${'x'.repeat(300_000)}\r\n`;
  const id = await commit(node, 'a@x.example', { text });
  const [folder] = readdirSync(join(node.folder, 'content'));
  const [key] = readdirSync(join(node.folder, 'content', folder!));
  assert.equal(await count(node, 'content'), 0);
  assert.deepEqual([...(await node.queue.referencedBlobs([key!, 'unknown']))], [key]);
  const { scan } = node.store.database;
  const { database } = node.store as { database: { scan: typeof scan } };
  database.scan = async (statement) => {
    const found = await scan(statement);
    // It is spilled between the look at the rows and the answer.
    await node.queue.admin.open(id);
    return found;
  };
  assert.deepEqual([...(await node.queue.referencedBlobs([key!]))], [key]);
  database.scan = scan;

  const second = await crashed(t, node);
  const claim = next(second);
  assert.equal((await buffer(claim.content.open())).toString(), text);
  await second.queue.settle(claim, all(claim, relayed));
  await until(() => readdirSync(join(second.folder, 'content', folder!)).length === 0);
});

test('while one message keeps a long ledger, and cannot be spilled, further ones go into the database', async (t) => {
  const node = await attached(t);
  await commit(node);
  node.store.ledger.segments = () => INLINE_SEGMENTS_MOST;
  await commit(node);
  assert.equal(await count(node, 'recipient'), 1);
});

test('ids go on above those of messages that are over, also when the clock went back', async (t) => {
  const first = await attached(t);
  await commit(first);
  const claim = next(first);
  await first.queue.settle(claim, all(claim, relayed));
  const second = await crashed(t, first, { clock: manualClock(first.clock.now() - 3_600_000) });
  assert.ok(second.queue.newId() > claim.message.id);
});

type Op =
  | { readonly kind: 'commit'; readonly to: number; readonly sizeBytes: number }
  | { readonly kind: 'settle'; readonly as: 'relayed' | 'deferred' | 'failed' | 'nothing'; readonly isAwaited: boolean }
  | { readonly kind: 'act'; readonly act: 'list' | 'hold' | 'delete' | 'release' | 'retry' | 'bounce' }
  | { readonly kind: 'journal' }
  | { readonly kind: 'backoff'; readonly to: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'crash'; readonly turns: number };

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      to: fc.nat(2),
      // In memory of its own, in memory that messages share, in a file.
      sizeBytes: fc.constantFrom(10, 70_000, 300_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      as: fc.constantFrom('relayed' as const, 'relayed', 'deferred', 'failed', 'nothing'),
      isAwaited: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      act: fc.constantFrom('list' as const, 'hold', 'delete', 'release', 'retry', 'bounce'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('journal' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('backoff' as const), to: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(1000, 11_000, 400_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), turns: fc.nat(6) }) },
);

const DOMAINS = ['x.example', 'y.example', 'z.example'] as const;
const FINAL = new Set(['relayed', 'bounced', 'deleted', 'expired']);
const RESULTS = { relayed, deferred, failed } satisfies Record<string, (row: number) => AttemptResult>;

test('whatever happens, and whenever it crashes, each message is queued once, or in the journal with one end', async (t) => {
  const empty = await startQueue(t, { clock: manualClock() });
  await empty.queue.close();
  await empty.store.close();
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 8, maxLength: 25 }), async (ops) => {
      const cleanups: (() => unknown)[] = [];
      const life = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as unknown as TestContext;
      /** What is on the journal's disk, of all runs. */
      const logged = new Set<string>();
      const ends = new Map<string, Set<string>>();
      /** Answers to deliveries that an operator had overtaken: at most one for each try, and never instead of an end. */
      const late = new Map<string, Set<string>>();
      const committed = new Map<string, string>();
      const tries = new Map<string, number>();

      const start = (folder: string, clock: ManualClock): Promise<Attached> => {
        const journal = testJournal();
        journal.automatic = false;
        return attached(life, { folder, clock, journal });
      };
      const log = async ({ journal }: TestNode): Promise<void> => {
        for (const { id } of journal.messages) logged.add(id);
        for (const { message: id, at, recipient, state, reply } of journal.recipients) {
          if (!FINAL.has(state)) continue;
          const told = reply?.startsWith(LATE_ANSWER) ? late : ends;
          told.set(id, (told.get(id) ?? new Set()).add(`${at} ${recipient} ${state}`));
        }
        await journal.flush();
        await settled();
      };

      const isAsItCame = async ({ content, message: { id } }: Claim): Promise<void> =>
        assert.equal((await buffer(content.open())).toString(), committed.get(id), `${id} is as it came`);

      let node = await start(leftBy(life, empty.folder), manualClock());
      for (const step of ops) {
        switch (step.kind) {
          case 'commit': {
            const text = `Subject: ${committed.size}\r\n\r\n`.padEnd(step.sizeBytes, String(committed.size));
            committed.set(await commit(node, `a@${DOMAINS[step.to]}`, { text, reversePath: null }), text);
            break;
          }
          case 'settle': {
            const claim = node.dispatcher.claims.shift();
            if (!claim) break;
            // Unless an operator took it away, and its file with it.
            await isAsItCame(claim).catch((error) => assert.ok(isOperational(error, 'content.missing'), error));
            tries.set(claim.message.id, (tries.get(claim.message.id) ?? 0) + 1);
            const results = step.as === 'nothing' ? [] : all(claim, RESULTS[step.as]);
            const settling = node.queue.settle(claim, results);
            if (step.isAwaited) await inTime(node.clock, settling);
            break;
          }
          case 'act': {
            const { admin } = node.queue;
            if (step.act === 'list') await admin.list({}, {});
            else if (step.act === 'hold' || step.act === 'bounce')
              await admin[step.act]({ filter: {} }, 'test', 'root');
            else await admin[step.act]({ filter: {} }, 'root');
            break;
          }
          case 'journal':
            await log(node);
            break;
          case 'backoff':
            node.queue.destinationFailed(DOMAINS[step.to]!, 'cannot connect');
            break;
          case 'advance':
            await node.clock.advance(step.ms);
            break;
          case 'crash':
            for (let turn = 0; turn < step.turns; turn++) await new Promise((resolve) => setImmediate(resolve));
            node = await start(leftBy(life, node.folder), node.clock);
            break;
        }
      }
      await settled();
      node = await start(leftBy(life, node.folder), node.clock);
      await log(node);
      const queued = (await node.queue.admin.list({}, {})).rows.map(({ messageId }) => messageId);
      assert.equal(new Set(queued).size, queued.length, 'none is queued twice');
      for (const claim of node.dispatcher.claims) await isAsItCame(claim);
      for (const id of committed.keys()) {
        const ended = ends.get(id)?.size ?? 0;
        assert.equal(ended + (queued.includes(id) ? 1 : 0), 1, `${id} ended ${ended} times`);
        assert.ok(logged.has(id), `${id} is in the journal`);
      }
      for (const [id, answers] of late) {
        assert.ok(ends.has(id) || queued.includes(id), `${id} was answered late, and neither ended nor waits`);
        assert.ok(answers.size <= (tries.get(id) ?? 0), `${id} was tried ${tries.get(id)} times: ${[...answers]}`);
      }
      for (const cleanup of cleanups.reverse()) await cleanup();
    }),
    { numRuns: 6, endOnFailure: true },
  );
});
