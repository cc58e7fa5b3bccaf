/**
 * How a record lies in a segment of the ledger: marker, its number, how many were durable before it,
 * length, CRC-32, and then its bytes.
 *
 * The marker is drawn anew for each segment, so that what an earlier use of the file left behind it,
 * or what an attacker writes into a message, is never taken for a record. The two numbers tell a write
 * that a crash cut short (nothing of it was acknowledged) from damage: a record that is missing, and
 * that a later one calls durable.
 */
import { crc32 } from 'node:zlib';

export const MARKER_BYTES = 8;
export const FRAME_BYTES = MARKER_BYTES + 16;

export interface RecordNumbers {
  /** Its place among the records of the segment, from 0 on. */
  readonly number: number;
  /** Records of the segment that were on disk before it was written. */
  readonly durable: number;
}

export interface Frame extends RecordNumbers {
  /** Of the record's bytes in the segment. */
  readonly start: number;
  readonly end: number;
}

/** Writes the frame of one record at `at`. */
export function writeFrame(
  into: Buffer,
  at: number,
  marker: Uint8Array,
  { number, durable }: RecordNumbers,
  record: readonly Uint8Array[],
): void {
  let length = 0;
  for (const piece of record) length += piece.length;
  into.set(marker, at);
  into.writeUInt32LE(number, at + 8);
  into.writeUInt32LE(durable, at + 12);
  into.writeUInt32LE(length, at + 16);
  let sum = crc32(into.subarray(at + 8, at + 20));
  for (const piece of record) sum = crc32(piece, sum);
  into.writeUInt32LE(sum, at + 20);
}

/** The record that begins at `at`; undefined: none does, or not all of it is there as it was written. */
export function readFrame(segment: Buffer, at: number, marker: Uint8Array): Frame | undefined {
  const start = at + FRAME_BYTES;
  if (start > segment.length || segment.compare(marker, 0, MARKER_BYTES, at, at + MARKER_BYTES) !== 0) return undefined;
  const end = start + segment.readUInt32LE(at + 16);
  if (end > segment.length) return undefined;
  const sum = crc32(segment.subarray(start, end), crc32(segment.subarray(at + 8, at + 20)));
  if (sum !== segment.readUInt32LE(at + 20)) return undefined;
  return { number: segment.readUInt32LE(at + 8), durable: segment.readUInt32LE(at + 12), start, end };
}

/** All records from `from` on that are as they were written; `isDamaged`: one that was durable is not among them. */
export function readFrames(
  segment: Buffer,
  from: number,
  marker: Uint8Array,
): { readonly frames: readonly Frame[]; readonly isDamaged: boolean } {
  const frames: Frame[] = [];
  let firstMissing: number | undefined;
  let isDamaged = false;
  for (let at = from; at >= 0 && at < segment.length; ) {
    const frame = readFrame(segment, at, marker);
    if (!frame) {
      at = segment.indexOf(marker, at + 1);
      continue;
    }
    if (frame.number !== frames.length) firstMissing ??= frames.length;
    if (firstMissing !== undefined && frame.durable > firstMissing) isDamaged = true;
    frames.push(frame);
    at = frame.end;
  }
  return { frames, isDamaged };
}
