/** Variants of a message: shared by equal recipients, whole over crashes and acts, gone with their last recipient. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import type { HeaderEdit } from '../../../src/model/content.ts';
import type { Claim, NewRecipient, NewSplice } from '../../../src/queue/contract.ts';
import type { StagedContent } from '../../../src/store/contract.ts';
import { type Attached, attached, count, crashed, next, settled, until } from '../support/inline.ts';
import { address, all, deferred, detail, message, recipient, relayed, type TestNode } from '../support/queue.ts';

const EDITS: readonly HeaderEdit[] = [{ kind: 'prepend', raw: 'X-Spam: yes\r\n' }];
const LINK = Buffer.from('see the link');
const LARGE = Buffer.alloc(300_000, 'large ');

async function staged({ store }: TestNode, bytes: Uint8Array): Promise<StagedContent> {
  const spool = store.blobs.spool();
  spool.write(bytes);
  return spool.finish();
}

const splice = (offset: number, inserted: NewSplice['with'], length = 4): NewSplice => ({
  offset,
  length,
  with: inserted,
  body: '7BIT',
});

function files({ folder }: TestNode): readonly string[] {
  const content = join(folder, 'content');
  if (!existsSync(content)) return [];
  return readdirSync(content, { recursive: true })
    .map(String)
    .filter((name) => name.includes('/'))
    .map((name) => name.split('/').at(-1)!);
}

/** What a claim's splices put in, and over which range. */
async function inserted({ splices = [] }: Claim): Promise<unknown[]> {
  return Promise.all(
    splices.map(async ({ offset, length, body, with: content }) => [
      offset,
      length,
      body,
      await text(content.open() as never),
    ]),
  );
}

const put = (bytes: Buffer, offset = 10): unknown[] => [offset, 4, '7BIT', bytes.toString()];

async function commit(
  node: Attached,
  recipients: readonly NewRecipient[],
  { also, ...more }: Parameters<typeof message>[2] & { readonly also?: typeof ALSO } = {},
): Promise<string> {
  const made = await message(node, recipients, more);
  await node.queue.commit(made, also);
  await settled();
  return made.id;
}

async function nothingLeft(node: Attached): Promise<void> {
  await until(async () => files(node).length === 0);
  for (const table of ['recipient', 'variant', 'splice', 'content']) assert.equal(await count(node, table), 0, table);
}

/** Statements that another room's rows come with: such a commit goes into the database. */
const ALSO = [{ sql: "update queue_mark set value = value where name = 'journaled'", parameters: [] }];

for (const [way, more] of [
  ['inline', {}],
  ['from rows', { also: ALSO }],
] as const)
  test(`what splices put in reaches the claim ${way}, also after a crash, and leaves nothing when it is over`, async (t) => {
    const node = await attached(t);
    const splices = [splice(0, LINK), splice(10, await staged(node, LARGE)), splice(20, await staged(node, LINK))];
    await commit(node, [recipient('a@x.example', { edits: EDITS, splices })], more);
    assert.equal(files(node).length, 1, 'the small one is in a row');
    assert.deepEqual(await inserted(next(node)), [put(LINK, 0), put(LARGE), put(LINK, 20)]);
    assert.equal(await count(node, 'splice'), way === 'inline' ? 0 : 3);
    const again = await crashed(t, node);
    await again.clock.advance(1000);
    await until(() => again.dispatcher.claims.length > 0);
    const claim = next(again);
    assert.deepEqual(claim.edits, EDITS);
    assert.deepEqual(await inserted(claim), [put(LINK, 0), put(LARGE), put(LINK, 20)]);
    assert.deepEqual(new Set(files(again)), await again.queue.referencedBlobs(files(again)));
    await again.queue.settle(claim, all(claim, relayed));
    await nothingLeft(again);
  });

test('what is delivered at once from the ledger takes its splices’ files along', async (t) => {
  const node = await attached(t);
  await commit(node, [recipient('a@x.example', { splices: [splice(10, await staged(node, LARGE))] })]);
  assert.equal(await count(node, 'variant'), 0);
  assert.deepEqual(new Set(files(node)), await node.queue.referencedBlobs(files(node)));
  const claim = next(node);
  assert.deepEqual(await inserted(claim), [put(LARGE)]);
  await node.queue.settle(claim, all(claim, relayed));
  await nothingLeft(node);
});

test('a thousand recipients with equal edits share one row', async (t) => {
  const node = await attached(t);
  const recipients = Array.from({ length: 1000 }, (_, n) =>
    recipient(`r${n}@${n % 2 ? 'x' : 'y'}.example`, {
      edits: structuredClone(EDITS),
      ...(n === 999 && { state: { held: 'user', reason: 'why' } }),
    }),
  );
  await commit(node, recipients);
  assert.equal(await count(node, 'variant'), 1);
  const [row] = await node.store.database.read({
    sql: 'select count(distinct variant) as n, max(variant) as v, count(edits) as left from recipient',
    parameters: [],
  });
  assert.deepEqual({ ...row }, { n: 1, v: 0, left: 0 });
});

test('recipients with the same edits and other splices travel apart, and each keeps its file', async (t) => {
  const node = await attached(t);
  const shared = await staged(node, LARGE);
  await commit(node, [
    recipient('a@x.example', { edits: EDITS, splices: [splice(10, shared)] }),
    recipient('b@x.example', { edits: EDITS, splices: [splice(10, shared)] }),
    recipient('c@x.example', { edits: EDITS, splices: [splice(20, shared)] }),
    recipient('d@x.example', { edits: EDITS }),
    recipient('e@x.example', { state: { discarded: 'no' }, splices: [splice(30, await staged(node, LARGE))] }),
  ]);
  const claims = node.dispatcher.claims;
  assert.deepEqual(
    claims.map(({ recipients }) => recipients.map(({ row }) => row)),
    [[0, 1], [2], [3]],
  );
  await until(() => files(node).length === 1);
  const [first, second, third] = claims;
  await node.queue.settle(first!, all(first!, relayed));
  await settled();
  assert.equal(await count(node, 'variant'), 2);
  assert.equal(files(node).length, 1, 'the other variant puts in the same file');
  assert.deepEqual(await inserted(second!), [put(LARGE, 20)]);
  await node.queue.settle(second!, all(second!, relayed));
  await until(() => files(node).length === 0);
  await node.queue.settle(third!, all(third!, relayed));
  await nothingLeft(node);
});

test('equal insertions that were staged twice are kept once', async (t) => {
  const node = await attached(t);
  await commit(
    node,
    [
      recipient('a@x.example', { splices: [splice(10, await staged(node, LARGE))] }),
      recipient('b@x.example', { splices: [splice(10, await staged(node, LARGE))] }),
    ],
    { also: ALSO },
  );
  await until(() => files(node).length === 1);
  assert.equal(await count(node, 'splice'), 1);
});

test('a variant stays with its recipient over hold, release, redirect and a failed try', async (t) => {
  const node = await attached(t);
  const { admin } = node.queue;
  const held = { state: { held: 'user', reason: 'why' } } as const;
  const splices = [splice(10, await staged(node, LARGE))];
  const id = await commit(node, [recipient('a@x.example', { ...held, edits: EDITS, splices })]);
  await admin.redirect({ ids: [id] }, address('b@y.example'), 'root');
  await until(() => node.dispatcher.claims.length > 0);
  const redirected = next(node);
  assert.deepEqual(
    [redirected.destination, redirected.edits, await inserted(redirected)],
    ['y.example', EDITS, [put(LARGE)]],
  );
  await node.queue.settle(redirected, all(redirected, deferred));
  await admin.hold({ ids: [id] }, 'why', 'root');
  await admin.release({ ids: [id] }, 'root');
  await until(() => node.dispatcher.claims.length > 0);
  assert.deepEqual(await inserted(next(node)), [put(LARGE)]);
  assert.deepEqual(new Set(files(node)), await node.queue.referencedBlobs(files(node)));
  await admin.delete({ ids: [id] }, 'root');
  await nothingLeft(node);
});

test('a failure report gives back what was sent, not what the variant made of it', async (t) => {
  const node = await attached(t);
  const original = 'From: bob@sender.example\r\nSubject: hello\r\nX-Old: 1\r\n\r\nsecret\r\n';
  const edits: HeaderEdit[] = [{ kind: 'remove', name: 'X-Old', occurrence: 0 }];
  const splices = [splice(original.indexOf('secret'), LINK, 6)];
  await commit(node, [recipient('a@x.example', { edits, splices })], { text: original, ret: 'full' });
  const claim = next(node);
  const failed = { kind: 'failed', detail: detail('5.1.1', '550 5.1.1 no such user') } as const;
  await node.queue.settle(claim, [{ row: claim.recipients[0]!.row, ...failed }]);
  await settled();
  const report = await text(next(node).content.open() as never);
  assert.match(report, /X-Old: 1\r\n\r\nsecret\r\n/);
});

test('of a spliced message that cannot be read, what is damaged is set aside and the rest stays', async (t) => {
  const node = await attached(t);
  const body = `A: b\r\n\r\n${'x'.repeat(300_000)}`;
  const splices = [splice(10, await staged(node, LARGE))];
  await commit(node, [recipient('a@x.example', { splices }), recipient('b@y.example')], { text: body });
  const [claim] = node.dispatcher.claims;
  const [damaged, ...others] = readdirSync(join(node.folder, 'content'), { recursive: true })
    .map((name) => join(node.folder, 'content', String(name)))
    .filter((path) => files(node).includes(path.split('/').at(-1)!));
  assert.equal(others.length, 1);
  writeFileSync(damaged!, 'damaged');
  const unreadable = { kind: 'unreadable', detail: detail('content.corrupt', 'its size differs') } as const;
  await node.queue.settle(claim!, [{ row: claim!.recipients[0]!.row, ...unreadable }]);
  await until(() => !existsSync(damaged!));
  await settled();
  assert.equal(files(node).length, 1);
});

for (const [why, splices] of [
  ['overlap', [splice(0, LINK), splice(2, LINK)]],
  ['leave the content', [splice(1_000, LINK)]],
  ['are too large for a row', [splice(0, LARGE)]],
  ['are too large together', Array.from({ length: 5 }, (_, n) => splice(n * 4, LARGE.subarray(0, 250_000)))],
] as const)
  test(`splices that ${why} are refused, and what was staged is deleted`, async (t) => {
    const node = await attached(t);
    const last = splice(44, await staged(node, LARGE), 0);
    const made = await message(node, [recipient('a@x.example', { splices: [...splices, last] })]);
    await assert.rejects(node.queue.commit(made), { code: 'content.splices' });
    await nothingLeft(node);
    assert.equal(node.dispatcher.claims.length, 0);
  });
