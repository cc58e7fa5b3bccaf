import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchDiskJob } from '../../src/jobs/watch-disk.ts';
import { checkDisk } from '../../src/posture/disk.ts';
import { isNearlyFull } from '../../src/world/disk-space.ts';
import { recordedEvents } from '../support/events.ts';

const GIB = 1024 ** 3;

test('a disk that fills is warned of once, before it is full, and when there is room again', async () => {
  const events = recordedEvents();
  const disk = { freeBytes: 20 * GIB, sizeBytes: 40 * GIB };
  const job = watchDiskJob({ folder: '/data', events, space: () => disk });
  await job.run();
  assert.deepEqual([events.seen, job.warnings()], [[], []]);
  disk.freeBytes = 3 * GIB;
  await job.run();
  await job.run();
  assert.equal(events.count('store.nearly-full'), 1);
  assert.match(job.warnings()[0]!, /the disk is nearly full/);
  disk.freeBytes = 10 * GIB;
  await job.run();
  assert.equal(events.count('store.roomy'), 1);
  assert.deepEqual(job.warnings(), []);
});

test('nearly full is a tenth of a small disk, and five GiB of a large one', () => {
  for (const [sizeBytes, freeBytes, expected] of [
    [8 * GIB, 0.7 * GIB, true],
    [8 * GIB, GIB, false],
    [2000 * GIB, 6 * GIB, false],
    [2000 * GIB, 4 * GIB, true],
  ] as const)
    assert.equal(isNearlyFull({ sizeBytes, freeBytes }), expected, `${freeBytes} of ${sizeBytes}`);
});

test('the self-check names a disk that is nearly full, and a log that mail alone makes too large', () => {
  const disk = { freeBytes: 20 * GIB, sizeBytes: 40 * GIB };
  const codes = (results: ReturnType<typeof checkDisk>): string[] =>
    results.map(({ verdict, code }) => `${verdict} ${code}`);
  assert.deepEqual(codes(checkDisk({ folder: '/data', disk })), ['good good']);
  const log = { usedBytes: 11 * GIB, maxBytes: 10 * GIB };
  assert.deepEqual(codes(checkDisk({ folder: '/data', disk: { ...disk, freeBytes: GIB }, log })), [
    'wrong nearly-full',
    'wrong log-too-large',
  ]);
  const [{ seen } = { seen: '' }] = checkDisk({ folder: '/data', disk, log: { ...log, usedBytes: GIB / 2 } });
  assert.equal(seen, '20.0 GiB of 40.0 GiB are free; log.db has 512.0 MiB of at most 10.0 GiB');
});
