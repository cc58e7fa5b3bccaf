import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sweepContentJob } from '../../src/jobs/sweep-content.ts';
import { queueMigrations } from '../../src/queue/rows/migrations.ts';
import { openStore } from '../../src/store/open.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';
import { recordedEvents } from '../support/events.ts';

const NINE_DAYS_MS = 9 * 24 * 60 * 60_000;

test('old content that no message needs goes; what is young or needed stays', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sweep-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const events = recordedEvents();
  const store = await openStore(folder, {
    clock: systemClock,
    random: systemRandom,
    events,
    migrations: queueMigrations,
  });
  t.after(() => store.close());
  const made: string[] = [];
  for (let i = 0; i < 3; i++) {
    const spool = store.blobs.spool();
    if (!spool.write(Buffer.alloc(400_000, 97 + i))) await spool.drained();
    const staged = await spool.finish();
    assert.equal(staged.home.kind, 'blob');
    made.push((staged.home as { key: string }).key);
  }
  const [orphan, needed, young] = made as [string, string, string];
  const files = (): string[] =>
    readdirSync(join(folder, 'content'), { recursive: true })
      .map(String)
      .filter((name) => made.some((key) => name.endsWith(key)));
  const old = new Date(Date.now() - NINE_DAYS_MS);
  for (const name of files()) if (!name.endsWith(young)) utimesSync(join(folder, 'content', name), old, old);
  const stray = join(folder, 'content', 'zz');
  mkdirSync(stray);
  writeFileSync(join(stray, 'not ours'), '');
  const owners = { sweepMessages: async () => {} };
  const unsure = { queue: { referencedBlobs: () => Promise.reject(new Error('cannot read')) } };
  await assert.rejects(sweepContentJob({ blobs: store.blobs, rooms: unsure, owners }).run());
  assert.equal(files().length, 3, 'a room that cannot tell keeps all');
  const rooms = { queue: { referencedBlobs: async () => new Set([needed]) } };
  await sweepContentJob({ blobs: store.blobs, rooms, owners }).run();
  assert.ok(!files().some((name) => name.endsWith(orphan)), 'the orphan is gone');
  assert.equal(files().length, 2);
  assert.equal(events.count('content.swept'), 1);
});
