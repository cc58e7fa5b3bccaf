/**
 * How a record lies in a segment of the ledger: marker, group, length, CRC-32, and then its octets.
 *
 * The marker is drawn anew for each segment, so that what an earlier use of the file left behind it,
 * or what a stranger writes into a message, is never taken for a record. Groups are what one sync made
 * durable: the next group begins only after it, which tells a write that a crash cut short (the last
 * group, never acknowledged) from damage (records of later groups behind the gap).
 */
import { crc32 } from 'node:zlib';

export const MARKER_BYTES = 8;
export const FRAME_BYTES = MARKER_BYTES + 12;

export interface Frame {
  readonly group: number;
  /** Of the record's octets in the segment. */
  readonly start: number;
  readonly end: number;
}

/** Writes the frame of one record at `at`. */
export function writeFrame(
  into: Buffer,
  at: number,
  marker: Uint8Array,
  group: number,
  record: readonly Uint8Array[],
): void {
  let length = 0;
  for (const piece of record) length += piece.length;
  into.set(marker, at);
  into.writeUInt32LE(group, at + 8);
  into.writeUInt32LE(length, at + 12);
  let sum = crc32(into.subarray(at + 8, at + 16));
  for (const piece of record) sum = crc32(piece, sum);
  into.writeUInt32LE(sum, at + 16);
}

/** The record that begins at `at`; undefined: none does, or not all of it is there as it was written. */
export function readFrame(segment: Buffer, at: number, marker: Uint8Array): Frame | undefined {
  const start = at + FRAME_BYTES;
  if (start > segment.length || segment.compare(marker, 0, MARKER_BYTES, at, at + MARKER_BYTES) !== 0) return undefined;
  const end = start + segment.readUInt32LE(at + 12);
  if (end > segment.length) return undefined;
  const sum = crc32(segment.subarray(start, end), crc32(segment.subarray(at + 8, at + 16)));
  return sum === segment.readUInt32LE(at + 16) ? { group: segment.readUInt32LE(at + 8), start, end } : undefined;
}

/** All records from `from` on; `damaged`: some in between are not as they were written. */
export function readFrames(
  segment: Buffer,
  from: number,
  marker: Uint8Array,
): { readonly frames: readonly Frame[]; readonly damaged: boolean } {
  const frames: Frame[] = [];
  const beyond: Frame[] = [];
  let lastGroup: number | undefined;
  for (let at = from; at >= 0 && at < segment.length; ) {
    const frame = readFrame(segment, at, marker);
    if (frame) {
      (lastGroup === undefined ? frames : beyond).push(frame);
      at = frame.end;
      continue;
    }
    lastGroup ??= frames.at(-1)?.group ?? 0;
    at = segment.indexOf(marker, at + 1);
  }
  // The group in which the gap lies is this one or the next: only what comes after both was acknowledged.
  const damaged = lastGroup !== undefined && beyond.some(({ group }) => group > lastGroup + 1);
  return { frames: damaged ? [...frames, ...beyond] : frames, damaged };
}
