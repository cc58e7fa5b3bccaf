import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { fileContent } from '../../src/store/blobs/file-content.ts';
import { createMemoryBudget } from '../../src/store/blobs/memory-budget.ts';
import { createPlaces, pathOf } from '../../src/store/blobs/places.ts';
import { sharedSync } from '../../src/store/blobs/shared-sync.ts';
import { createSlabs } from '../../src/store/blobs/slabs.ts';
import { ContentSpool } from '../../src/store/blobs/spool.ts';
import type { Spool, StagedContent } from '../../src/store/contract.ts';
import { KEPT_CONTENT_BYTES } from '../../src/store/limits.ts';
import { systemRandom } from '../../src/world/random.ts';
import { faultyDisk, openTestStore, type TestStore, temporaryFolder } from './support/store.ts';

const LARGE = 300_000;
/** In a file, and in memory as long as there is room. */
const KEPT = 200_000;

async function keep({ blobs }: TestStore, bytes: Uint8Array, chunk = 50_000): Promise<StagedContent> {
  const spool = blobs.spool();
  for (let at = 0; at < bytes.length; at += chunk)
    if (!spool.write(bytes.subarray(at, at + chunk))) await spool.drained();
  return spool.finish();
}

function files(folder: string): string[] {
  const root = join(folder, 'content');
  return readdirSync(root).flatMap((name) => readdirSync(join(root, name)));
}

function keyOf({ home }: StagedContent): string {
  assert.ok(home.kind === 'blob');
  return home.key;
}

test('small content stays in memory, large content is a file; both come back as they were', async (t) => {
  const store = await openTestStore(t);
  for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, 256 * 1024, 256 * 1024 + 1, LARGE]) {
    const bytes = randomBytes(size);
    const content = await keep(store, bytes);
    assert.equal(content.home.kind, size <= 256 * 1024 ? 'row' : 'blob');
    assert.equal(content.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.ok(bytes.equals(await buffer(content.open())));
    assert.equal(content.pieces !== undefined, size > 64 * 1024 && size <= 256 * 1024);
    const [start, end] = [Math.floor(size / 3), Math.floor(size / 2)];
    assert.ok(bytes.subarray(start, end).equals(await buffer(content.open({ start, end }))));
    assert.ok(
      bytes.subarray(10, 20).equals(await buffer(content.open({ start: 10, end: Math.min(20, size) }))) || size < 20,
    );
  }
});

test("what was kept in memory is not read once the memory is the next message's", async (t) => {
  const store = await openTestStore(t);
  const bytes = [randomBytes(KEPT), randomBytes(KEPT), randomBytes(KEPT), randomBytes(KEPT)];
  const first = await keep(store, bytes[0]!);
  const [early, late] = [first.open(), first.open()];
  const begun = (await early.iterator({ destroyOnReturn: false }).next()).value as Buffer;
  const memory = first.pieces![0]!.buffer;
  first.release!();
  first.release!();
  const next = await Promise.all(bytes.slice(1).map((other) => keep(store, other)));
  assert.equal(next.flatMap(({ pieces }) => pieces!).filter(({ buffer }) => buffer === memory).length, 1);
  for (const [i, content] of next.entries()) assert.ok(Buffer.concat(content.pieces!).equals(bytes[i + 1]!));
  assert.ok(begun.equals(bytes[0]!.subarray(0, begun.length)), 'what a reader has got stays as it was');
  for (const reader of [early, late]) await assert.rejects(buffer(reader), /content was read after it was released/);
  assert.throws(() => first.pieces, /content was read after it was released/);
});

test('what a chunk becomes after it was written changes nothing', async (t) => {
  const store = await openTestStore(t);
  for (const [size, step] of [
    [10_000, 1000],
    [10_000, 10_000],
    [KEPT, 50_000],
    [LARGE, 1000],
  ] as const) {
    const bytes = randomBytes(size);
    const memory = Buffer.alloc(step);
    const spool = store.blobs.spool();
    for (let at = 0; at < size; at += step) {
      const chunk = memory.subarray(0, bytes.copy(memory, 0, at, at + step));
      if (!spool.write(chunk)) await spool.drained();
      memory.fill(0);
    }
    assert.ok(bytes.subarray(0, 500).equals(spool.head.subarray(0, 500)));
    const content = await spool.finish();
    assert.ok(bytes.equals(await buffer(content.open())));
    assert.ok(bytes.subarray(0, 500).equals(spool.head.subarray(0, 500)));
  }
});

test('memory that is kept for the next messages is let go of when it is asked for', async (t) => {
  const store = await openTestStore(t);
  const first = await keep(store, randomBytes(KEPT));
  const memory = first.pieces!.map((piece) => piece.buffer);
  first.release!();
  store.blobs.trim();
  const next = await keep(store, randomBytes(KEPT));
  assert.ok(next.pieces!.every(({ buffer }) => !memory.includes(buffer)));
});

/** Spools over a disk of their own, with room in memory for so many messages. */
function spoolsFor(t: TestContext, room: number, broken: { sync?: string } = {}): () => Spool {
  const disk = faultyDisk(broken);
  const root = temporaryFolder(t);
  const parts = {
    disk,
    slabs: createSlabs(),
    memory: createMemoryBudget(room * KEPT_CONTENT_BYTES),
    place: createPlaces(root, disk, systemRandom),
    open: (key: string, sizeBytes: number, sha256: string) => fileContent(disk, pathOf(root, key), sizeBytes, sha256),
    onFailure() {},
    onSuccess() {},
  };
  return () => new ContentSpool(parts);
}

test('of more half-received messages than there is memory for all are kept, some in files', async (t) => {
  const open = spoolsFor(t, 3);
  const bytes = randomBytes(KEPT);
  const spools = Array.from({ length: 6 }, open);
  for (const spool of spools) spool.write(bytes.subarray(0, 70_000));
  for (const spool of spools) if (!spool.write(bytes.subarray(70_000))) await spool.drained();
  const kept = await Promise.all(spools.map((spool) => spool.finish()));
  assert.deepEqual(
    kept.map(({ pieces }) => pieces !== undefined),
    [true, true, true, false, false, false],
  );
  for (const content of kept) {
    assert.equal(content.home.kind, content.pieces ? 'row' : 'blob');
    assert.ok(bytes.equals(await buffer(content.open())));
  }
});

test('memory comes back however a message ends, and only once', async (t) => {
  const broken: { sync?: string } = {};
  const open = spoolsFor(t, 1, broken);
  const received = (sizeBytes = KEPT): Spool => {
    const spool = open();
    for (let at = 0; at < sizeBytes; at += 50_000) spool.write(randomBytes(Math.min(50_000, sizeBytes - at)));
    return spool;
  };
  const ends: Record<string, () => unknown> = {
    discarded: () => received().discard(),
    'discarded once kept': async () => (await received().finish()).discard(),
    released: async () => {
      const content = await received().finish();
      content.release!();
      content.release!();
      content.discard();
    },
    'too large for memory': () => received(LARGE).finish(),
    'not kept by the disk': async () => {
      broken.sync = 'EIO';
      await assert.rejects(async () => received(LARGE).finish());
      delete broken.sync;
    },
  };
  for (const [how, end] of Object.entries(ends)) {
    await end();
    const [first, second] = [await received().finish(), await received().finish()];
    assert.ok(first.pieces, `there is room after one was ${how}`);
    assert.equal(second.pieces, undefined, `and no more than there was after one was ${how}`);
    first.discard();
  }
});

test('a client that sends octet by octet makes no object of each', async (t) => {
  const store = await openTestStore(t);
  const bytes = randomBytes(100_000);
  const { pieces } = await keep(store, bytes, 1);
  assert.ok(pieces!.length < 50, `${pieces!.length} pieces`);
  assert.ok(Buffer.concat(pieces!).equals(bytes));
});

test('messages that end at the same time share the sync of their folder, never one that began before', async () => {
  const begun: (() => void)[] = [];
  const sync = sharedSync(() => new Promise((done) => begun.push(done)));
  const ended: string[] = [];
  const ask = (name: string): void => void sync().then(() => ended.push(name));
  ask('first');
  ask('second');
  ask('third');
  assert.equal(begun.length, 1);
  begun[0]!();
  while (begun.length < 2) await new Promise(setImmediate);
  assert.deepEqual(ended, ['first']);
  begun[1]!();
  while (ended.length < 3) await new Promise(setImmediate);
  assert.deepEqual([begun.length, ended], [2, ['first', 'second', 'third']]);
});

for (const [where, code, expected] of [
  ['append', 'ENOSPC', 'store.full'],
  ['append', 'EROFS', 'store.unavailable'],
  ['sync', 'EIO', 'store.unavailable'],
  ['syncFolder', 'EIO', 'store.unavailable'],
] as const) {
  test(`${code} in ${where} refuses a large message, leaves no file, and is over when the disk works again`, async (t) => {
    const broken: Record<string, string> = {};
    const store = await openTestStore(t, { disk: faultyDisk(broken) });
    await keep(store, randomBytes(LARGE));
    broken[where] = code;
    const before = files(store.folder);
    for (let i = 0; i < 3; i++) await assert.rejects(keep(store, randomBytes(LARGE)), { code: expected });
    assert.deepEqual(files(store.folder), before);
    delete broken[where];
    await keep(store, randomBytes(LARGE));
    assert.deepEqual(store.told, [expected, 'store.recovered'], 'told once, and once that it is over');
  });
}

test('content that is gone, cut short or altered is named, and can be set aside', async (t) => {
  const store = await openTestStore(t);
  const content = await keep(store, randomBytes(LARGE));
  const key = keyOf(content);
  const path = join(store.folder, 'content', key.slice(0, 2), key);
  const open = () => buffer(store.blobs.open(key, content.sizeBytes, content.sha256).open());
  writeFileSync(path, randomBytes(LARGE));
  await assert.rejects(open(), { code: 'content.corrupt' });
  truncateSync(path, 10);
  await assert.rejects(open(), { code: 'content.corrupt' });
  await store.blobs.setAside(key);
  await assert.rejects(open(), { code: 'content.missing' });
  assert.ok(existsSync(join(store.folder, 'damaged', key)));
});

test('a sweep deletes what nobody refers to, and nothing else', async (t) => {
  const store = await openTestStore(t);
  const [kept, lost] = [keyOf(await keep(store, randomBytes(LARGE))), keyOf(await keep(store, randomBytes(LARGE)))];
  assert.deepEqual(await store.blobs.sweep(3_600_000, async () => new Set()), [], 'too young');
  assert.deepEqual(await store.blobs.sweep(-1000, async () => new Set([kept])), [lost]);
  assert.deepEqual(files(store.folder), [kept]);
});

test('a spool that is discarded leaves nothing', async (t) => {
  const store = await openTestStore(t);
  const spool = store.blobs.spool();
  spool.write(randomBytes(LARGE));
  spool.discard();
  await spool.drained();
  while (files(store.folder).length > 0) await new Promise((resolve) => setImmediate(resolve));
});
