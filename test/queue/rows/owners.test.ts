/** Owners of content beside the recipients: who ends last takes it along, whoever that is. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { isOperational } from '../../../src/model/errors.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { all, message, relayed, startQueue, type TestNode, temporaryFolder, testDispatcher } from '../support/queue.ts';

const LARGE = `A: b\r\n\r\n${'x'.repeat(300_000)}`;

async function count(node: TestNode, table: string): Promise<number> {
  const [row] = await node.store.database.read({ sql: `select count(*) as n from ${table}`, parameters: [] });
  return Number(row!['n']);
}

function files(folder: string): string[] {
  return readdirSync(join(folder, 'content'), { recursive: true })
    .map(String)
    .filter((name) => name.includes('/'));
}

/** A message with rows, and the claim of its recipients. */
async function claimed(node: TestNode, content = LARGE) {
  const dispatcher = testDispatcher();
  const sent = await message(node, ['a@x.example'], { text: content });
  await node.queue.commit(sent, [
    { sql: "update queue_mark set value = value where name = 'journaled'", parameters: [] },
  ]);
  node.queue.attach(dispatcher);
  while (dispatcher.claims.length === 0) await new Promise((go) => setImmediate(go));
  return { id: sent.id, claim: dispatcher.claims[0]! };
}

for (const [size, content] of [
  ['in a file', LARGE],
  ['in a row', 'A: b\r\n\r\nsmall\r\n'],
] as const)
  test(`content ${size} that is owned stays behind its last recipient, and goes with the owner`, async (t) => {
    const folder = temporaryFolder(t);
    const node = await startQueue(t, { clock: systemClock, folder });
    const { id, claim } = await claimed(node, content);
    await node.store.database.write(node.queue.owners.keep(id, 'quarantine:1'));
    await node.queue.settle(claim, all(claim, relayed));
    assert.deepEqual([await count(node, 'recipient'), await count(node, 'content')], [0, 1]);
    assert.equal(await text((await node.queue.owners.open(id)).open()), content);
    await node.queue.owners.release(id, 'quarantine:1');
    await node.queue.owners.sweepMessages();
    assert.deepEqual([await count(node, 'content'), await count(node, 'content_owner')], [0, 0]);
    assert.deepEqual(files(folder), []);
    await assert.rejects(node.queue.owners.open(id), (error) => isOperational(error, 'content.missing'));
  });

test('of two owners the first leaves the content to the second, and the queue leaves it to both', async (t) => {
  const node = await startQueue(t, { clock: systemClock });
  const { id, claim } = await claimed(node);
  const { owners } = node.queue;
  await node.store.database.write([...owners.keep(id, 'quarantine:1'), ...owners.keep(id, 'mailbox:7')]);
  await owners.release(id, 'quarantine:1');
  assert.equal(await count(node, 'content'), 1);
  await node.queue.settle(claim, all(claim, relayed));
  assert.equal(await count(node, 'content'), 1);
  await owners.release(id, 'nobody:1');
  assert.equal(await count(node, 'content'), 1, 'who never owned it ends nothing');
  await owners.release(id, 'mailbox:7');
  assert.equal(await count(node, 'content'), 0);
});

test('content that an owner released before its recipients ended is still theirs', async (t) => {
  const node = await startQueue(t, { clock: systemClock });
  const { id, claim } = await claimed(node);
  await node.store.database.write(node.queue.owners.keep(id, 'quarantine:1'));
  await node.queue.owners.release(id, 'quarantine:1');
  assert.equal(await count(node, 'content'), 1);
  await node.queue.settle(claim, all(claim, relayed));
  assert.equal(await count(node, 'content'), 0);
});

test('content that is gone cannot be owned, and the owner’s own rows are not written', async (t) => {
  const node = await startQueue(t, { clock: systemClock });
  const { id, claim } = await claimed(node);
  await node.queue.settle(claim, all(claim, relayed));
  await assert.rejects(node.store.database.write(node.queue.owners.keep(id, 'quarantine:1')), (error) =>
    isOperational(error, 'store.expectation'),
  );
  assert.equal(await count(node, 'content_owner'), 0);
});

test('an owner’s release and its own rows happen together or not at all', async (t) => {
  const node = await startQueue(t, { clock: systemClock });
  const { id } = await claimed(node);
  await node.store.database.write(node.queue.owners.keep(id, 'quarantine:1'));
  const impossible = { sql: "update queue_mark set value = 1 where name = 'none'", parameters: [], expect: 'changed' };
  await assert.rejects(node.queue.owners.release(id, 'quarantine:1', [impossible as never]));
  assert.equal(await count(node, 'content_owner'), 1);
});

test('after a restart the sweep knows that an owned file is needed', async (t) => {
  const folder = temporaryFolder(t);
  const first = await startQueue(t, { clock: systemClock, folder });
  const { id, claim } = await claimed(first);
  await first.store.database.write(first.queue.owners.keep(id, 'quarantine:1'));
  await first.queue.settle(claim, all(claim, relayed));
  await first.queue.close();
  await first.store.close();
  const node = await startQueue(t, { clock: systemClock, folder });
  const [name] = files(folder);
  const key = name!.split('/').at(-1)!;
  assert.deepEqual([...(await node.queue.referencedBlobs([key]))], [key]);
  assert.equal(await text((await node.queue.owners.open(id)).open()), LARGE);
});
