/**
 * The ledger: records appended and synced in groups, for what is soon over.
 *
 * A message that is delivered at once needs no row that is looked up, changed and deleted: it needs to
 * be on disk before its 250, and to be found after a crash. That is one write and one sync here, shared
 * by all that came meanwhile. Whoever appends a record that is to be found again holds it until it is
 * over; a segment whose records are all let go of, and with it all older ones, is used anew.
 *
 * Promises: a record is on disk when `done` is called; records are found in the order of appending; a
 * group that failed is never found again. After a failed write or sync the file is not touched again
 * but to be cut and deleted: the next group begins another.
 */
import { join } from 'node:path';
import type { Disk } from '../../world/disk.ts';
import type { Events } from '../../world/events.ts';
import type { Random } from '../../world/random.ts';
import { diskError, isFull } from '../blobs/disk-error.ts';
import type { Ledger, LedgerHold } from '../contract.ts';
import {
  LEDGER_GROUP_BYTES,
  LEDGER_GROUP_RECORDS,
  LEDGER_SEGMENT_BYTES,
  LEDGER_SPARE_SEGMENTS,
  LEDGER_WAITING,
} from '../limits.ts';
import type { Health } from '../sqlite/health.ts';
import { FRAME_BYTES, MARKER_BYTES, writeFrame } from './frame.ts';
import { beginSegment, type OldSegment, readHead, readRecords, type Segment, slotName, slotOf } from './segment.ts';

export interface LedgerParts {
  /** Of the data folder; the ledger has one of its own in it. */
  readonly folder: string;
  readonly disk: Disk;
  readonly random: Random;
  readonly events: Events;
  readonly health: Health;
}

interface Waiting {
  readonly record: readonly Uint8Array[];
  readonly bytes: number;
  readonly isHeld: boolean;
  readonly done: (error: Error | undefined, hold: LedgerHold) => void;
}

/** What `done` is given for a record that nobody holds, and beside an error. */
const NO_HOLD: LedgerHold = { number: 0 };

/** What earlier runs left is there to be replayed; no file is made before the first record. */
export async function openLedger({ folder, disk, random, events, health }: LedgerParts): Promise<Ledger> {
  const root = join(folder, 'ledger');
  const left = await findOld({ folder, disk, events }, root);
  let { old } = left;
  let { lastSlot } = left;
  let lastNumber = old.at(-1)?.head.number ?? 0;
  /** Of this run, in order; the last is written to. */
  let segments: Segment[] = [];
  const spare: string[] = [];
  let current: Segment | undefined;
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let isClosed = false;

  const begin = async (): Promise<Segment> => {
    if (lastSlot === 0) {
      await disk.ensureFolder(root);
      await disk.syncFolder(folder);
    }
    const reused = spare.pop();
    const path = reused ?? join(root, slotName(++lastSlot));
    const number = ++lastNumber;
    const cuts = segments.filter(({ hasFailed }) => hasFailed).map((failed) => [failed.number, failed.end] as const);
    const oldest = old[0]?.head.number ?? segments[0]?.number ?? number;
    const marker = Buffer.from(random.bytes(MARKER_BYTES)).toString('hex');
    try {
      const segment = await beginSegment(disk, path, { number, marker, oldest, cuts }, reused === undefined);
      if (reused === undefined) await disk.syncFolder(root);
      segments.push(segment);
      return segment;
    } catch (error) {
      await disk.remove(path).catch(() => undefined);
      throw error;
    }
  };

  const segmentFor = async (bytes: number): Promise<Segment> => {
    if (current && current.end + bytes > LEDGER_SEGMENT_BYTES) {
      current.isFull = true;
      current.file.close();
      current = undefined;
      reclaim();
    }
    current ??= await begin();
    return current;
  };

  /** The oldest first: a record may speak of one before it, never of one behind it. */
  const reclaim = (): void => {
    while (segments[0]?.isFull && segments[0].held === 0) {
      const { path, hasFailed } = segments.shift()!;
      if (hasFailed || spare.length >= LEDGER_SPARE_SEGMENTS) disk.remove(path).catch(() => undefined);
      else spare.push(path);
    }
  };

  const write = async (group: readonly Waiting[]): Promise<Segment> => {
    let bytes = group.length * FRAME_BYTES;
    for (const record of group) bytes += record.bytes;
    const segment = await segmentFor(bytes);
    const { marker, file } = segment;
    const frames = Buffer.allocUnsafe(group.length * FRAME_BYTES);
    const chunks: Uint8Array[] = [];
    segment.group++;
    for (let i = 0; i < group.length; i++) {
      const { record } = group[i]!;
      const at = i * FRAME_BYTES;
      writeFrame(frames, at, marker, segment.group, record);
      chunks.push(frames.subarray(at, at + FRAME_BYTES), ...record);
    }
    try {
      await file.writeAt(chunks, segment.end);
      await file.syncData();
    } catch (error) {
      await abandon(segment);
      throw error;
    }
    segment.end += bytes;
    return segment;
  };

  const abandon = async (segment: Segment): Promise<void> => {
    segment.hasFailed = true;
    segment.isFull = true;
    current = undefined;
    // Where the disk does not even take this, the head of the next segment says where this one ends.
    await segment.file.truncate(segment.end).catch(() => undefined);
    segment.file.close();
    reclaim();
  };

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = takeGroup();
      try {
        const segment = await write(group);
        health.succeeded();
        for (const { isHeld } of group) if (isHeld) segment.held++;
        for (const { done, isHeld } of group) done(undefined, isHeld ? segment : NO_HOLD);
      } catch (cause) {
        const error = diskError(cause, 'write to the ledger');
        health.failed(isFull(cause) ? 'full' : 'unavailable', error.message);
        for (const { done } of group) done(error, NO_HOLD);
      }
    }
    running = undefined;
  };

  const takeGroup = (): Waiting[] => {
    let bytes = 0;
    let count = 0;
    while (count < waiting.length && count < LEDGER_GROUP_RECORDS) {
      bytes += waiting[count]!.bytes;
      if (bytes > LEDGER_GROUP_BYTES && count > 0) break;
      count++;
    }
    const group = count === waiting.length ? waiting : waiting.slice(0, count);
    waiting = count === waiting.length ? [] : waiting.slice(count);
    return group;
  };

  return {
    append(record, isHeld, done) {
      if (isClosed || waiting.length >= LEDGER_WAITING) {
        const why = isClosed ? 'it was closed' : `${LEDGER_WAITING} records wait already`;
        done(diskError(why, 'write to the ledger'), NO_HOLD);
        return;
      }
      let bytes = 0;
      for (const piece of record) bytes += piece.length;
      waiting.push({ record, bytes, isHeld, done });
      // What the rest of this turn of the loop appends shall go along.
      running ??= new Promise((resolve) => setImmediate(() => resolve(run())));
    },
    release(hold) {
      (hold as Segment).held--;
      reclaim();
    },
    segments: () => segments.length,
    async replay(visit) {
      const cuts = new Map(old.flatMap(({ head }) => head.cuts));
      for (const segment of old) {
        const { records, damaged } = await readRecords(disk, segment, cuts.get(segment.head.number));
        if (damaged) events.emit('store.ledger-damaged', { file: segment.path });
        for (const record of records) await visit(record);
      }
    },
    async clear() {
      if (old.length === 0) return;
      for (const { path } of old) await disk.remove(path);
      await disk.syncFolder(root);
      old = [];
    },
    async close() {
      await running;
      isClosed = true;
      current?.file.close();
      if (segments.some(({ held }) => held > 0)) return;
      for (const path of [...spare, ...segments.map((segment) => segment.path)])
        await disk.remove(path).catch(() => undefined);
      segments = [];
    },
  };
}

/** The files of earlier runs that still count, in order. What is no segment is set aside, and told. */
async function findOld(
  { folder, disk, events }: Pick<LedgerParts, 'folder' | 'disk' | 'events'>,
  root: string,
): Promise<{ readonly old: OldSegment[]; readonly lastSlot: number }> {
  const found: OldSegment[] = [];
  let lastSlot = 0;
  for (const name of await disk.list(root)) {
    const slot = slotOf(name);
    if (slot === undefined) continue;
    lastSlot = Math.max(lastSlot, slot);
    const path = join(root, name);
    const segment = await readHead(disk, path);
    if (segment) found.push(segment);
    else await setAside({ folder, disk, events }, path, name);
  }
  const oldest = found.reduce((highest, { head }) => Math.max(highest, head.oldest), 0);
  for (const { path, head } of found) if (head.number < oldest) await disk.remove(path);
  const old = found.filter(({ head }) => head.number >= oldest).sort((a, b) => a.head.number - b.head.number);
  return { old, lastSlot };
}

/** Nothing was ever acknowledged from an empty file: a crash left it. */
async function setAside(
  { folder, disk, events }: Pick<LedgerParts, 'folder' | 'disk' | 'events'>,
  path: string,
  name: string,
): Promise<void> {
  const { sizeBytes, modifiedAt } = await disk.stat(path);
  if (sizeBytes === 0) return disk.remove(path);
  const damaged = join(folder, 'damaged');
  await disk.ensureFolder(damaged);
  await disk.move(path, join(damaged, `${Math.round(modifiedAt)}-${name}`));
  events.emit('store.ledger-damaged', { file: path });
}
