import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import type { StagedContent } from '../../src/store/contract.ts';
import { faultyDisk, openTestStore, type TestStore } from './support/store.ts';

const LARGE = 300_000;

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

test('small content stays in memory for its row, large content is a file; both come back as they were', async (t) => {
  const store = await openTestStore(t);
  for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, LARGE]) {
    const bytes = randomBytes(size);
    const content = await keep(store, bytes);
    assert.equal(content.home.kind, size <= 64 * 1024 ? 'row' : 'blob');
    assert.equal(content.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.ok(bytes.equals(await buffer(content.open())));
    assert.ok(
      bytes.subarray(10, 20).equals(await buffer(content.open({ start: 10, end: Math.min(20, size) }))) || size < 20,
    );
  }
});

for (const [where, code, expected] of [
  ['append', 'ENOSPC', 'store.full'],
  ['append', 'EROFS', 'store.unavailable'],
  ['sync', 'EIO', 'store.unavailable'],
  ['syncFolder', 'EIO', 'store.unavailable'],
] as const) {
  test(`${code} in ${where} refuses the message, leaves no file, and is over when the disk works again`, async (t) => {
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
