/**
 * The ledger: records appended and synced in groups, for what is soon over.
 *
 * A message that is delivered at once needs no row that is looked up, changed and deleted: it needs to
 * be on disk before its 250, and to be found after a crash. That is one write and one sync here, shared
 * by all that came meanwhile. Whoever appends a record that is to be found again holds it until it is
 * over; a segment whose records are all let go of, and with it all older ones, is used anew. Records go
 * in the order in which they came, so that none is ever found without what was said of it later.
 *
 * Promises: a record is on disk when `done` is called; records are found in the order of appending; a
 * group that failed is never found again. After a failed write or sync the file is not touched again
 * but to be cut and deleted: the next group begins another.
 */
import { basename, join } from 'node:path';
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
  LEDGER_STEP_BYTES,
  LEDGER_WAITING,
} from '../limits.ts';
import type { Health } from '../sqlite/health.ts';
import { FRAME_BYTES, MARKER_BYTES, writeFrame } from './frame.ts';
import {
  beginSegment,
  HEAD_BYTES,
  type OldSegment,
  readHead,
  readRecords,
  type Segment,
  slotName,
  slotOf,
} from './segment.ts';

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

const NOTHING = Buffer.alloc(LEDGER_STEP_BYTES);

/** Where a file ends that has room up to there: sizes grow in steps, as a sync has to write down each that is new. */
function stepAbove(end: number): number {
  return Math.ceil(end / LEDGER_STEP_BYTES) * LEDGER_STEP_BYTES;
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
  const damaged = new Set<OldSegment>();
  /** Of this run, in order; the last is written to. */
  const segments: Segment[] = [];
  /** Older than those: to be used again. */
  const spare: Segment[] = [];
  let current: Segment | undefined;
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let removing: Promise<void> = Promise.resolve();
  let isClosed = false;

  const begin = async (): Promise<Segment> => {
    if (lastSlot === 0) {
      await disk.ensureFolder(root);
      await disk.syncFolder(folder);
    }
    const reused = oldestSpare();
    await removing;
    const path = reused?.path ?? join(root, slotName(++lastSlot));
    const number = ++lastNumber;
    const before = segments.at(-1);
    const head = {
      number,
      marker: Buffer.from(random.bytes(MARKER_BYTES)).toString('hex'),
      oldest: old[0]?.head.number ?? segments[0]?.number ?? number,
      previous: before ? { number: before.number, end: before.end } : null,
    };
    let segment: Segment | undefined;
    try {
      segment = await beginSegment(disk, path, head, reused?.sizeBytes);
      if (reused === undefined) await disk.syncFolder(root);
      segments.push(segment);
      return segment;
    } catch (error) {
      segment?.file.close();
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

  const reclaim = (): void => {
    while (segments[0]?.isFull && segments[0].held === 0) spare.push(segments.shift()!);
    while (spare.length > LEDGER_SPARE_SEGMENTS) remove(spare.shift()!);
  };

  const oldestSpare = (): Segment | undefined => {
    while (spare[0]?.hasFailed) remove(spare.shift()!);
    return spare.shift();
  };

  /** One after the other: a file that a crash leaves must not be older than one that is gone. */
  const remove = ({ path }: Segment): void => {
    removing = removing.then(() => disk.remove(path)).catch(() => undefined);
  };

  const write = async (group: readonly Waiting[]): Promise<Segment> => {
    let bytes = group.length * FRAME_BYTES;
    for (const record of group) bytes += record.bytes;
    const segment = await segmentFor(bytes);
    const { marker, file, records: durable } = segment;
    const frames = Buffer.allocUnsafe(group.length * FRAME_BYTES);
    const chunks: Uint8Array[] = [];
    for (let i = 0; i < group.length; i++) {
      const { record } = group[i]!;
      const at = i * FRAME_BYTES;
      writeFrame(frames, at, marker, { number: durable + i, durable }, record);
      chunks.push(frames.subarray(at, at + FRAME_BYTES), ...record);
    }
    const end = segment.end + bytes;
    const sizeBytes = Math.max(segment.sizeBytes, stepAbove(end));
    if (sizeBytes > segment.sizeBytes) chunks.push(NOTHING.subarray(0, sizeBytes - end));
    try {
      await file.writeAt(chunks, segment.end);
      await file.syncData();
    } catch (error) {
      await abandon(segment);
      throw error;
    }
    segment.end = end;
    segment.sizeBytes = sizeBytes;
    segment.records += group.length;
    return segment;
  };

  const abandon = async (segment: Segment): Promise<void> => {
    const { file, end } = segment;
    segment.hasFailed = true;
    segment.isFull = true;
    current = undefined;
    // Where the disk does not even take this, the head of the next segment says where this one ends.
    await file
      .truncate(end)
      .then(file.syncData)
      .catch(() => undefined);
    file.close();
    // A disk that goes on failing must not leave a file for each group.
    if (segment.records === 0) remove(segments.pop()!);
    reclaim();
  };

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = takeGroup();
      const outcome = await write(group).catch((cause: unknown) => refusal(cause));
      if (outcome instanceof Error) {
        for (const { done } of group) done(outcome, NO_HOLD);
        continue;
      }
      health.succeeded();
      for (const { isHeld } of group) if (isHeld) outcome.held++;
      for (const { done, isHeld } of group) done(undefined, isHeld ? outcome : NO_HOLD);
    }
    running = undefined;
  };

  const refusal = (cause: unknown): Error => {
    const error = diskError(cause, 'write to the ledger');
    health.failed(isFull(cause) ? 'full' : 'unavailable', error.message);
    return error;
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
      if (!isClosed) reclaim();
    },
    segments: () => segments.length,
    async replay(visit) {
      const ends = new Map(old.map(({ head }) => [head.previous?.number, head.previous?.end]));
      for (const segment of old) {
        const { records, isDamaged } = await readRecords(disk, segment, ends.get(segment.head.number));
        if (isDamaged && !damaged.has(segment)) {
          damaged.add(segment);
          events.emit('store.ledger-damaged', { file: segment.path });
        }
        for (const record of records) await visit(record);
      }
    },
    async clear() {
      if (old.length === 0) return;
      for (const segment of old)
        await (damaged.has(segment) ? setAside(disk, folder, segment.path) : disk.remove(segment.path));
      await disk.syncFolder(root);
      old = [];
    },
    async close() {
      isClosed = true;
      while (running) await running;
      await removing;
      current?.file.close();
      const over = segments.some(({ held }) => held > 0) ? spare : [...spare, ...segments];
      if (over.length === 0) return;
      for (const { path } of over) await disk.remove(path).catch(() => undefined);
      await disk.syncFolder(root).catch(() => undefined);
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
    else if ((await disk.stat(path)).sizeBytes <= HEAD_BYTES) await disk.remove(path);
    else {
      await setAside(disk, folder, path);
      events.emit('store.ledger-damaged', { file: path });
    }
  }
  found.sort((a, b) => a.head.number - b.head.number);
  const old = found.filter((segment) => !isOver(segment, found));
  for (const segment of found) if (!old.includes(segment)) await disk.remove(segment.path);
  if (old.length < found.length) await disk.syncFolder(root);
  return { old, lastSlot };
}

/** A later head says so: it is older than all that counts, or failed as it began. */
function isOver({ head: { number } }: OldSegment, found: readonly OldSegment[]): boolean {
  return found.some(
    ({ head }) => number < head.oldest || (head.previous && head.previous.number < number && number < head.number),
  );
}

/** Into the folder for what is damaged, under a name of its own. */
async function setAside(disk: Disk, folder: string, path: string): Promise<void> {
  const damaged = join(folder, 'damaged');
  const { modifiedAt } = await disk.stat(path);
  await disk.ensureFolder(damaged);
  await disk.move(path, join(damaged, `${Math.round(modifiedAt)}-${basename(path)}`));
}
