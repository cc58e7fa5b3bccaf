import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { systemClock } from '../../../src/world/clock.ts';
import { all, message, relayed, startQueue, temporaryFolder, testDispatcher, testJournal } from '../support/queue.ts';

const CHILD = join(import.meta.dirname, '../support/committer.ts');

test('killed at any moment under load, the queue still has every acknowledged message once, or has delivered it', async (t) => {
  const folder = temporaryFolder(t);
  const acknowledged = new Set<string>();
  const settled = new Set<string>();
  for (let kill = 0; kill < 5; kill++) {
    const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let left = 40 + kill * 37;
    for await (const line of createInterface(child.stdout)) {
      const [what, id] = line.split(' ');
      (what === 'committed' ? acknowledged : settled).add(id!);
      if (--left === 0) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
  }
  const journal = testJournal();
  journal.automatic = false;
  const node = await startQueue(t, { clock: systemClock, folder, journal });
  const queued = new Set((await node.queue.admin.list({}, {})).rows.map(({ messageId }) => messageId));
  const done = new Set(journal.recipients.map(({ message: id }) => id));
  for (const id of acknowledged) {
    if (settled.has(id)) assert.ok(!queued.has(id), `${id} was settled and is not queued again`);
    else assert.ok(queued.has(id) || done.has(id), `${id} was acknowledged and is there`);
  }
  const dispatcher = testDispatcher(10_000);
  dispatcher.onTake = (claim) => void node.queue.settle(claim, all(claim, relayed));
  node.queue.attach(dispatcher);
  while ((await node.queue.admin.list({}, { limit: 1 })).rows.length > 0) await new Promise((go) => setTimeout(go, 5));
  assert.equal(new Set(dispatcher.claims.map(({ message: { id } }) => id)).size, dispatcher.claims.length, 'each once');
});

test('what the journal had not on disk is told again at the next start, and leases of the last one are void', async (t) => {
  const folder = temporaryFolder(t);
  const journal = testJournal();
  journal.automatic = false;
  const first = await startQueue(t, { clock: systemClock, folder, journal });
  const dispatcher = testDispatcher(2);
  first.queue.attach(dispatcher);
  for (const to of ['a@x.example', 'b@x.example', 'c@x.example']) await first.queue.commit(await message(first, [to]));
  await first.queue.settle(dispatcher.claims[0]!, all(dispatcher.claims[0]!, relayed));
  await first.queue.close();
  await first.store.close();

  const second = testJournal();
  const node = await startQueue(t, { clock: systemClock, folder, journal: second });
  assert.equal(second.messages.length, 3);
  assert.deepEqual(
    second.recipients.map(({ state }) => state),
    ['relayed'],
  );
  assert.ok(node.told.includes('queue.recovered'));
  const next = testDispatcher();
  node.queue.attach(next);
  while (next.claims.length < 2) await new Promise((go) => setImmediate(go));
  assert.deepEqual(
    next.claims.map(({ recipients }) => recipients[0]!.address.text),
    ['b@x.example', 'c@x.example'],
  );
});

test('a large message is a file that goes with its last recipient, and until then the sweep knows it is needed', async (t) => {
  const node = await startQueue(t, { clock: systemClock });
  const dispatcher = testDispatcher();
  await node.queue.commit(await message(node, ['a@x.example'], { text: `A: b\r\n\r\n${'x'.repeat(300_000)}` }));
  const [row] = await node.store.database.read({ sql: 'select blob from content', parameters: [] });
  const key = String(row!.blob);
  assert.deepEqual([...(await node.queue.referencedBlobs([key, 'unknown']))], [key]);
  node.queue.attach(dispatcher);
  while (dispatcher.claims.length === 0) await new Promise((go) => setImmediate(go));
  const claim = dispatcher.claims[0]!;
  assert.equal(claim.content.bytes, undefined);
  await node.queue.settle(claim, all(claim, relayed));
  assert.equal((await node.queue.referencedBlobs([key])).size, 0);
});
