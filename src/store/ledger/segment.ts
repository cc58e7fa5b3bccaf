/**
 * A segment of the ledger: a file of some megabytes that begins with a word about itself.
 *
 * A file whose records nobody needs any more is written over by a later segment: its blocks are there
 * already, so that a sync has no sizes to write down. Its new number is on disk before its first
 * record, and with it from which segment on the ledger counts: what older files say is over.
 */
import { basename } from 'node:path';
import type { Disk, DiskFile } from '../../world/disk.ts';
import { FRAME_BYTES, readFrame, readFrames, writeFrame } from './frame.ts';

/** Of the first record of each file. */
const HEAD_MARKER = Buffer.from('POSTERN1', 'latin1');

export interface SegmentHead {
  readonly number: number;
  readonly marker: string;
  /** Segments below this number are over. */
  readonly oldest: number;
  /** Where segments end whose last group failed: [number, octets]. */
  readonly cuts: readonly (readonly [number, number])[];
}

export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly file: DiskFile;
  readonly marker: Uint8Array;
  /** Octets written and synced. */
  end: number;
  group: number;
  /** Records that somebody still needs. */
  held: number;
  isFull: boolean;
  /** A write or sync failed: the file is never used again. */
  hasFailed: boolean;
}

/** `isNew`: the file does not exist yet. */
export async function beginSegment(disk: Disk, path: string, head: SegmentHead, isNew: boolean): Promise<Segment> {
  const file = isNew ? await disk.create(path) : await disk.change(path);
  const record = Buffer.from(JSON.stringify(head));
  const frame = Buffer.alloc(FRAME_BYTES);
  writeFrame(frame, 0, HEAD_MARKER, 0, [record]);
  const end = FRAME_BYTES + record.length;
  try {
    await file.writeAt([frame, record], 0);
    await file.syncData();
  } catch (error) {
    file.close();
    throw error;
  }
  const marker = Buffer.from(head.marker, 'hex');
  return { number: head.number, path, file, marker, end, group: 0, held: 0, isFull: false, hasFailed: false };
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
  return { path, head: JSON.parse(bytes.toString('utf8', frame.start, frame.end)) as SegmentHead };
}

/** Its records in the order of writing, up to its cut where it has one. */
export async function readRecords(
  disk: Disk,
  { path, head }: OldSegment,
  cut: number | undefined,
): Promise<{ readonly records: readonly Buffer[]; readonly damaged: boolean }> {
  const bytes = await contentOf(disk, path, cut);
  const first = readFrame(bytes, 0, HEAD_MARKER)?.end ?? 0;
  const { frames, damaged } = readFrames(bytes, first, Buffer.from(head.marker, 'hex'));
  return { records: frames.map(({ start, end }) => bytes.subarray(start, end)), damaged };
}

/** A word about itself and some dozens of cuts. */
const HEAD_BYTES = 4096;

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
  const found = /^(\d{1,6})\.ledger$/.exec(basename(path));
  return found ? Number(found[1]) : undefined;
}

export function slotName(slot: number): string {
  return `${slot}.ledger`;
}
