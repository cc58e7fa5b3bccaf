/**
 * A segment of the ledger: a file of some megabytes that begins with a word about itself.
 *
 * A file whose records nobody needs any more is written over by a later segment: its blocks are there
 * already, so that a sync has no sizes to write down. Its new number is on disk before its first
 * record, and with it from which segment on the ledger counts (what older files say is over) and where
 * the segment before it ends (what lies behind that failed, or is damage).
 */
import { basename } from 'node:path';
import type { Disk, DiskFile } from '../../world/disk.ts';
import { FRAME_BYTES, readFrame, readFrames, writeFrame } from './frame.ts';

/** Of the first record of each file. */
const HEAD_MARKER = Buffer.from('POSTERN1', 'latin1');

/** A sector, which disks write whole or not at all; in a file that is no longer nothing was ever acknowledged. */
export const HEAD_BYTES = 512;

const HEAD_NUMBERS = { number: 0, durable: 0 };

export interface SegmentHead {
  readonly number: number;
  readonly marker: string;
  /** Segments below this number are over. */
  readonly oldest: number;
  /** The segment before it and where that ends; what has a number in between failed as it began. Null: there was none. */
  readonly previous: { readonly number: number; readonly end: number } | null;
}

export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly file: DiskFile;
  readonly marker: Uint8Array;
  /** Bytes written and synced. */
  end: number;
  /** Of the file: behind the end lies what nobody needs. */
  sizeBytes: number;
  /** Records written and synced. */
  records: number;
  /** Those of them that somebody still needs. */
  held: number;
  isFull: boolean;
  /** A write or sync failed: the file is never used again. */
  hasFailed: boolean;
}

/** `reusedBytes`: the size of the file that is written over; undefined: it does not exist yet. */
export async function beginSegment(
  disk: Disk,
  path: string,
  head: SegmentHead,
  reusedBytes: number | undefined,
): Promise<Segment> {
  const file = reusedBytes === undefined ? await disk.create(path) : await disk.change(path);
  const sector = Buffer.alloc(HEAD_BYTES, ' ');
  const record = sector.subarray(FRAME_BYTES);
  record.write(JSON.stringify(head), 'latin1');
  writeFrame(sector, 0, HEAD_MARKER, HEAD_NUMBERS, [record]);
  try {
    await file.writeAt([sector], 0);
    await file.syncData();
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    number: head.number,
    path,
    file,
    marker: Buffer.from(head.marker, 'hex'),
    end: HEAD_BYTES,
    sizeBytes: reusedBytes ?? HEAD_BYTES,
    records: 0,
    held: 0,
    isFull: false,
    hasFailed: false,
  };
}

export interface OldSegment {
  readonly path: string;
  readonly head: SegmentHead;
}

/** Undefined: the file does not begin as a segment does. */
export async function readHead(disk: Disk, path: string): Promise<OldSegment | undefined> {
  const bytes = await contentOf(disk, path, HEAD_BYTES);
  const frame = readFrame(bytes, 0, HEAD_MARKER);
  if (!frame) return undefined;
  return { path, head: JSON.parse(bytes.toString('latin1', frame.start, frame.end)) as SegmentHead };
}

/** Its records in the order of writing; `end`: where it is known to end. */
export async function readRecords(
  disk: Disk,
  { path, head }: OldSegment,
  end: number | undefined,
): Promise<{ readonly records: readonly Buffer[]; readonly isDamaged: boolean }> {
  const bytes = await contentOf(disk, path, end);
  const { frames, isDamaged } = readFrames(bytes, HEAD_BYTES, Buffer.from(head.marker, 'hex'));
  let readable = HEAD_BYTES;
  for (const { start, end: to } of frames) readable += FRAME_BYTES + to - start;
  return {
    records: frames.map(({ start, end: to }) => bytes.subarray(start, to)),
    isDamaged: isDamaged || (end !== undefined && readable < end),
  };
}

async function contentOf(disk: Disk, path: string, atMost: number | undefined): Promise<Buffer> {
  const file = await disk.open(path);
  try {
    const bytes = Buffer.allocUnsafe(Math.min(file.sizeBytes(), atMost ?? Number.POSITIVE_INFINITY));
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    file.close();
  }
}

/** Its place in the order of files; undefined for other names. */
export function slotOf(path: string): number | undefined {
  const found = /^(\d{1,15})\.ledger$/.exec(basename(path));
  return found ? Number(found[1]) : undefined;
}

export function slotName(slot: number): string {
  return `${slot}.ledger`;
}
