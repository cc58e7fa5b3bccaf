import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import type { LedgerHold } from '../../src/store/contract.ts';
import { FRAME_BYTES } from '../../src/store/ledger/frame.ts';
import { HEAD_BYTES } from '../../src/store/ledger/segment.ts';
import { LEDGER_SEGMENT_BYTES, LEDGER_SPARE_SEGMENTS, LEDGER_WAITING } from '../../src/store/limits.ts';
import {
  type Before,
  crash,
  diskFailure,
  emptyFolder,
  openTestLedger,
  quickDisk,
  type TestLedger,
} from './support/ledger.ts';

const record = fc.uint8Array({ maxLength: 300 });
const groupsOfRecords = fc.array(fc.array(record, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });
/** One to a segment. */
const LARGE = Buffer.alloc(LEDGER_SEGMENT_BYTES / 2 + 1, 'x');

/** Each group with one sync. */
async function keepGroups(ledger: TestLedger, groups: readonly (readonly Uint8Array[])[]): Promise<Buffer[]> {
  for (const group of groups) await Promise.all(group.map((one) => ledger.keep(one)));
  return groups.flat().map((one) => Buffer.from(one));
}

function numbered(n: number): Buffer {
  return Buffer.from(`record ${n}`);
}

function texts(records: readonly Buffer[]): string[] {
  return records.map((one) => one.toString('latin1', 0, 20));
}

/** Does it in a folder of its own, which is gone afterwards. */
async function inFolder(work: (t: Pick<TestContext, 'after'>) => Promise<void>): Promise<void> {
  const cleanups: (() => unknown)[] = [];
  try {
    await work({ after: (cleanup) => void cleanups.push(cleanup as () => unknown) });
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
}

test('any records in any groups are found in their order after a crash, as often as one looks, until they are cleared', () =>
  fc.assert(
    fc.asyncProperty(groupsOfRecords, (groups) =>
      inFolder(async (t) => {
        const first = await openTestLedger(emptyFolder(t));
        const kept = await keepGroups(first, groups);
        const second = await openTestLedger(crash(t, first));
        assert.deepEqual(await second.found(), kept);
        assert.deepEqual(await second.found(), kept);
        await second.clear();
        assert.deepEqual(await second.found(), []);
        assert.deepEqual([second.files(), second.told], [[], []]);
        const more = await second.keep(numbered(1));
        const third = await openTestLedger(crash(t, second));
        assert.deepEqual(texts(await third.found()), ['record 1'], 'and a ledger that was cleared takes new ones');
        second.release(more);
        await Promise.all([first.close(), second.close(), third.close()]);
      }),
    ),
    { numRuns: 30 },
  ));

/** Where each record lies in the only segment, and in which group. */
function placesOf(groups: readonly (readonly Uint8Array[])[]): { start: number; end: number; group: number }[] {
  let at = HEAD_BYTES;
  return groups.flatMap((group, n) =>
    group.map((one) => {
      const start = at;
      at += FRAME_BYTES + one.length;
      return { start, end: at, group: n };
    }),
  );
}

/** Of what lies behind the last record: room for the next. */
const BEHIND_BYTES = 40;

test('an octet that is written over loses its own record only, and is told where the record was acknowledged for sure', () =>
  fc.assert(
    fc.asyncProperty(groupsOfRecords, fc.nat(), fc.integer({ min: 1, max: 255 }), (groups, where, change) =>
      inFolder(async (t) => {
        const first = await openTestLedger(emptyFolder(t));
        const kept = await keepGroups(first, groups);
        const folder = crash(t, first);
        const path = join(folder, 'ledger', '1.ledger');
        const bytes = readFileSync(path);
        const places = placesOf(groups);
        const at = where % ((places.at(-1)?.end ?? HEAD_BYTES) + BEHIND_BYTES);
        bytes[at]! ^= change;
        writeFileSync(path, bytes);
        const second = await openTestLedger(folder);
        const found = await second.found();
        if (at < HEAD_BYTES) {
          assert.deepEqual(found, []);
          assert.deepEqual(second.told, ['store.ledger-damaged']);
          assert.equal(readdirSync(join(folder, 'damaged')).length, 1, 'the file is kept for who wants to look');
        } else {
          // None, where it lies behind the last record.
          const hit = places.findIndex(({ start, end }) => at >= start && at < end);
          assert.deepEqual(
            found,
            kept.filter((_, n) => n !== hit),
          );
          const wasAcknowledged = hit >= 0 && places.at(-1)!.group > places[hit]!.group;
          assert.deepEqual(second.told, wasAcknowledged ? ['store.ledger-damaged'] : []);
          await second.clear();
          assert.equal(existsSync(join(folder, 'damaged')), wasAcknowledged);
          assert.deepEqual(second.files(), []);
        }
        await Promise.all([first.close(), second.close()]);
      }),
    ),
    { numRuns: 50 },
  ));

test('a file cut at any octet still gives what lies before, and the cut is told where a later file says how long it was', () =>
  fc.assert(
    fc.asyncProperty(groupsOfRecords, fc.nat(), fc.boolean(), (groups, where, isLast) =>
      inFolder(async (t) => {
        let fails = false;
        const disk = quickDisk((call) => {
          if (fails && call === 'syncData') throw diskFailure('EIO');
        });
        const first = await openTestLedger(emptyFolder(t), disk);
        const kept = await keepGroups(first, groups);
        if (!isLast) {
          fails = true;
          await assert.rejects(first.keep(numbered(1)));
          fails = false;
          await first.keep(numbered(2));
        }
        const folder = crash(t, first);
        const path = join(folder, 'ledger', '1.ledger');
        const size = placesOf(groups).at(-1)?.end ?? HEAD_BYTES;
        const at = where % (size + 1 + (isLast ? BEHIND_BYTES : 0));
        truncateSync(path, at);
        const second = await openTestLedger(folder);
        const before = kept.filter((_, n) => placesOf(groups)[n]!.end <= at);
        assert.deepEqual(await second.found(), [...before, ...(isLast ? [] : [numbered(2)])]);
        const isTold = !isLast && at >= HEAD_BYTES && at < size;
        assert.deepEqual(second.told, isTold ? ['store.ledger-damaged'] : []);
        await Promise.all([first.close(), second.close()]);
      }),
    ),
    { numRuns: 50 },
  ));

test('more records than one call takes buffers, of one turn of the loop, are found in their order', async (t) => {
  const first = await openTestLedger(emptyFolder(t));
  const records = Array.from({ length: 2500 }, (_, n) => numbered(n));
  await Promise.all(records.map((one) => first.keep(one)));
  const second = await openTestLedger(crash(t, first));
  assert.deepEqual(await second.found(), records);
  await Promise.all([first.close(), second.close()]);
});

test('a record that says what a segment says is a record and nothing else', async (t) => {
  const first = await openTestLedger(emptyFolder(t));
  await first.keep(numbered(1));
  const imitation = readFileSync(join(first.folder, 'ledger', '1.ledger'));
  const other = await openTestLedger(emptyFolder(t));
  await other.keep(imitation);
  await other.keep(numbered(2));
  const second = await openTestLedger(crash(t, other));
  assert.deepEqual(await second.found(), [imitation, numbered(2)]);
  await Promise.all([first.close(), other.close(), second.close()]);
});

test('a file that a crash left before anything was acknowledged from it is nobody’s loss', async (t) => {
  for (const content of ['', 'POSTERN1', Buffer.alloc(HEAD_BYTES)]) {
    const first = await openTestLedger(emptyFolder(t));
    await first.keep(numbered(1));
    writeFileSync(join(first.folder, 'ledger', '2.ledger'), content);
    const second = await openTestLedger(crash(t, first));
    assert.deepEqual([texts(await second.found()), second.told], [['record 1'], []]);
    await Promise.all([first.close(), second.close()]);
  }
});

test('a file is used anew only once nobody needs its records, and the disk that is used stays bounded', async (t) => {
  const ledger = await openTestLedger(emptyFolder(t));
  const held: LedgerHold[] = [];
  for (let n = 0; n < 8; n++) held.push(await ledger.keep(LARGE));
  assert.equal(ledger.segments(), 8);
  for (const hold of held.slice(1)) ledger.release(hold);
  assert.equal(ledger.segments(), 8, 'the oldest keeps all behind it');
  ledger.release(held[0]!);
  assert.equal(ledger.segments(), 1);
  for (let n = 0; n < 8; n++) {
    ledger.release(await ledger.keep(LARGE));
    assert.ok(ledger.files().length <= LEDGER_SPARE_SEGMENTS + 2, ledger.files().join(' '));
  }
  assert.ok(ledger.bytes() <= (LEDGER_SPARE_SEGMENTS + 2) * LEDGER_SEGMENT_BYTES);
  await ledger.close();
  assert.deepEqual(ledger.files(), [], 'nothing is left after a close in order');
});

test('a crash while a file is begun anew brings no record back without all that came after it', async (t) => {
  for (const [torn, expected] of [
    [0, ['1', '2', '3']],
    [22, ['2', '3']],
    [50, ['2', '3']],
    [HEAD_BYTES, []],
  ] as const) {
    let left: string | undefined;
    const heads = new Map<string, Buffer>();
    const before: Before = (call, path) => {
      if (call === 'change') heads.set(path, readFileSync(path).subarray(0, HEAD_BYTES));
      const old = heads.get(path);
      if (call !== 'syncData' || !old || left) return;
      // So much of the new head has reached the disk.
      left = crash(t, ledger);
      const now = readFileSync(path);
      now.set(old.subarray(torn), torn);
      writeFileSync(path.replace(ledger.folder, left), now);
    };
    const ledger: TestLedger = await openTestLedger(emptyFolder(t), quickDisk(before));
    const held: LedgerHold[] = [];
    for (const n of ['1', '2', '3']) held.push(await ledger.keep(Buffer.concat([Buffer.from(n), LARGE])));
    for (const hold of held) ledger.release(hold);
    await ledger.keep(LARGE);
    const second = await openTestLedger(left!);
    assert.deepEqual(
      (await second.found()).map((one) => one.toString('latin1', 0, 1)),
      expected,
      `torn after ${torn} octets`,
    );
    await Promise.all([ledger.close(), second.close()]);
  }
});

for (const { call, code, error } of [
  { call: 'create', code: 'ENOSPC', error: 'store.full' },
  { call: 'create', code: 'EIO', error: 'store.unavailable' },
  { call: 'writeAt', code: 'ENOSPC', error: 'store.full' },
  { call: 'writeAt', code: 'EIO', error: 'store.unavailable' },
  { call: 'syncData', code: 'EIO', error: 'store.unavailable' },
  { call: 'syncData', code: 'EDQUOT', error: 'store.full' },
] as const) {
  for (const cutsToo of [true, false]) {
    test(`${code} in ${call}${cutsToo ? '' : ', after which nothing can be cut or deleted,'} refuses the group for ever, and harms no other`, async (t) => {
      let fails = false;
      const disk = quickDisk((what) => {
        if (fails && (what === call || (!cutsToo && (what === 'truncate' || what === 'remove'))))
          throw diskFailure(code);
      });
      const ledger = await openTestLedger(emptyFolder(t), disk);
      if (call !== 'create') await ledger.keep(numbered(1));
      fails = true;
      for (let n = 0; n < 5; n++) {
        const group = [ledger.keep(Buffer.from('refused')), ledger.keep(Buffer.from('refused too'))];
        for (const one of await Promise.allSettled(group))
          assert.equal(one.status === 'rejected' && one.reason.code, error);
      }
      const left = existsSync(join(ledger.folder, 'ledger')) ? ledger.files().length : 0;
      if (cutsToo) assert.ok(left <= 2, `${left} files`);
      fails = false;
      const hold = await ledger.keep(numbered(2));
      await ledger.keep(numbered(3));
      assert.deepEqual(ledger.told, [error, 'store.recovered'], 'told once, and once that it is over');
      const second = await openTestLedger(crash(t, ledger));
      const expected = call === 'create' ? ['record 2', 'record 3'] : ['record 1', 'record 2', 'record 3'];
      assert.deepEqual(texts(await second.found()), expected);
      assert.deepEqual(second.told, []);
      ledger.release(hold);
      await Promise.all([ledger.close(), second.close()]);
    });
  }
}

test('a close waits for what was appended before, refuses what comes after, and keeps what somebody needs', async (t) => {
  const ledger = await openTestLedger(emptyFolder(t));
  const before = [ledger.keep(numbered(1)), ledger.keep(numbered(2), false)];
  const closed = ledger.close();
  await assert.rejects(ledger.keep(numbered(3)), { code: 'store.unavailable' });
  await Promise.all(before);
  await closed;
  ledger.release(await before[0]!);
  const second = await openTestLedger(ledger.folder);
  assert.deepEqual(texts(await second.found()), ['record 1', 'record 2'], 'nobody lets go of anything after the close');
  await second.close();
  assert.deepEqual(texts(await second.found()), ['record 1', 'record 2'], 'a run that does not clear them leaves them');
});

test('records that wait for a disk that hangs are bounded', async (t) => {
  let go = (): void => undefined;
  const hanging = new Promise<void>((resolve) => {
    go = resolve;
  });
  const disk = quickDisk();
  const ledger = await openTestLedger(emptyFolder(t), {
    ...disk,
    async create(path) {
      await hanging;
      return disk.create(path);
    },
  });
  const first = ledger.keep(numbered(0));
  await new Promise(setImmediate);
  let taken = 0;
  const one = [numbered(1)];
  for (let n = 0; n < LEDGER_WAITING; n++) ledger.append(one, false, (error) => error ?? taken++);
  await assert.rejects(ledger.keep(numbered(2)), { code: 'store.unavailable' });
  go();
  ledger.release(await first);
  await ledger.close();
  assert.deepEqual([taken, ledger.files()], [LEDGER_WAITING, []]);
});
