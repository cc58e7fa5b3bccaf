import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Database } from '../../src/store/contract.ts';
import { NODE_SEEN_EVERY_MS, NODES } from '../../src/store/limits.ts';
import { nodeId } from '../../src/store/node-id.ts';
import { type JoinedNode, joinNodes, nodeMigrations } from '../../src/store/nodes.ts';
import { systemDisk } from '../../src/world/disk.ts';
import { systemRandom } from '../../src/world/random.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { memoryDatabase } from '../support/database.ts';
import { recordedEvents } from '../support/events.ts';

interface Joined extends JoinedNode {
  readonly replaced: string[];
}

async function joined(database: Database, clock: ManualClock, id: string): Promise<Joined> {
  const replaced: string[] = [];
  const events = recordedEvents();
  const node = await joinNodes(database, {
    id,
    clock,
    random: systemRandom,
    events,
    onReplaced: () => replaced.push(id),
  });
  return { ...node, replaced };
}

test('a node keeps its number over restarts, and a new one gets the lowest that is free', async (t) => {
  const database = await memoryDatabase(t, ...nodeMigrations);
  const clock = manualClock();
  const numbers: number[] = [];
  for (const id of ['a', 'b', 'a', 'c', 'b']) {
    const node = await joined(database, clock, id);
    numbers.push(node.number);
    node.leave();
  }
  assert.deepEqual(numbers, [0, 1, 0, 2, 1]);
  assert.equal(clock.pending(), 0, 'who left looks no more');
});

test('nodes that join at once get numbers of their own, and one too many is refused', async (t) => {
  const database = await memoryDatabase(t, ...nodeMigrations);
  const clock = manualClock();
  const nodes = await Promise.all(Array.from({ length: 6 }, (_, at) => joined(database, clock, `node ${at}`)));
  while (nodes.length < NODES) nodes.push(await joined(database, clock, `node ${nodes.length}`));
  assert.equal(new Set(nodes.map(({ number }) => number)).size, NODES);
  await assert.rejects(joined(database, clock, 'one more'), { code: 'store.nodes-full' });
  for (const node of nodes) node.leave();
});

test('a copy of a data folder that starts takes the number, and the older node hears of it', async (t) => {
  const database = await memoryDatabase(t, ...nodeMigrations);
  const clock = manualClock();
  const older = await joined(database, clock, 'a');
  await clock.advance(2 * NODE_SEEN_EVERY_MS);
  assert.deepEqual(older.replaced, []);
  const copy = await joined(database, clock, 'a');
  assert.equal(copy.number, older.number);
  await clock.advance(2 * NODE_SEEN_EVERY_MS);
  await settled(() => older.isReplaced());
  assert.deepEqual([older.replaced, copy.replaced, copy.isReplaced()], [['a'], [], false]);
  copy.leave();
});

async function settled(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !isSo(); turn++) await new Promise((go) => setImmediate(go));
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-node-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('the id of a data folder is made once, whole, for its owner only', async (t) => {
  const folder = folderOf(t);
  // What a crash left of an earlier try.
  writeFileSync(join(folder, 'node.id.partial'), 'ha');
  const world = { disk: systemDisk, random: systemRandom };
  const id = await nodeId(folder, world);
  assert.match(id, /^[\w-]{20}$/);
  assert.equal(await nodeId(folder, world), id);
  assert.equal(readFileSync(join(folder, 'node.id'), 'utf8'), `${id}\n`);
  assert.equal(statSync(join(folder, 'node.id')).mode & 0o777, 0o600);
  assert.equal(existsSync(join(folder, 'node.id.partial')), false);
});

test('a file that holds no id is refused, rather than a second node made of the folder', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'node.id'), '');
  await assert.rejects(nodeId(folder, { disk: systemDisk, random: systemRandom }), { code: 'store.folder' });
});
