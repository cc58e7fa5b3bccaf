/**
 * Batches: rows on their way to the writing thread, as bytes from the moment they are recorded.
 *
 * What waits for the log must not wait as objects: they would survive the collector's every round, and
 * cost it more than all else of a message. A batch lies in memory that both threads see, so it is neither
 * copied on its way nor kept twice until it is on disk; that memory is used again, as touching new pages
 * is dearer than all that is written there. Of a row, each field has a slot, and all texts follow as one;
 * a detail that the log only keeps comes last, as the line of a block that it becomes (block.ts), and is
 * not looked into on either side.
 */
import { BATCH_BYTES, FREE_BATCHES, SMALL_BATCH_BYTES } from './limits.ts';
import type { BatchRow, LogRow } from './record.ts';

/** Not written to until it is given back. */
export type Batch = Uint8Array<SharedArrayBuffer>;

export interface BatchWriter {
  /** How long a batch would be now. */
  readonly bytes: number;
  /** False where it has no room left: `take` first. An empty one takes a row of any size. */
  put(row: LogRow): boolean;
  /** What was put in since the last time. */
  take(): Batch;
  /** Nobody reads it any more. */
  giveBack(batch: Batch): void;
}

type Kind = BatchRow[0];
const KINDS = ['message', 'recipient', 'session', 'session-count', 'refusal-count', 'audit'] as const satisfies Kind[];

/** Each row begins at a slot: its kind, how many fields, where their texts begin and end, where it ends. */
const HEADER_SLOTS = 5;
const SLOT_BYTES = Float64Array.BYTES_PER_ELEMENT;

/** A slot has the length of a text, or this, or what a number makes of itself below it; no number here is negative. */
const NOTHING = -1;
const asSlot = (value: number): number => NOTHING - 1 - value;

const LINE_FEED = 10;

interface Space {
  readonly memory: SharedArrayBuffer;
  readonly slots: Float64Array;
  readonly bytes: Buffer;
}

function spaceOver(memory: SharedArrayBuffer): Space {
  return { memory, slots: new Float64Array(memory), bytes: Buffer.from(memory) };
}

function whole(bytes: number): number {
  return Math.ceil(bytes / SLOT_BYTES) * SLOT_BYTES;
}

export function createBatchWriter(): BatchWriter {
  const free: SharedArrayBuffer[] = [];
  let space = spaceOver(new SharedArrayBuffer(BATCH_BYTES));
  let used = 0;

  /** A small one in memory of its own: the large one would wait with it. */
  const copied = (): Batch => {
    const batch = new Uint8Array(new SharedArrayBuffer(used));
    batch.set(space.bytes.subarray(0, used));
    return batch;
  };
  const handedOver = (): Batch => {
    const batch = new Uint8Array(space.memory, 0, used);
    space = spaceOver(free.pop() ?? new SharedArrayBuffer(BATCH_BYTES));
    return batch;
  };

  return {
    get bytes() {
      return used;
    },
    put(row) {
      const room = mostBytes(row);
      if (used + room > space.bytes.length) {
        if (used > 0) return false;
        space = spaceOver(new SharedArrayBuffer(whole(room)));
      }
      used = writeRow(space, used, row);
      return true;
    },
    take() {
      const batch = used <= SMALL_BATCH_BYTES ? copied() : handedOver();
      used = 0;
      return batch;
    },
    giveBack({ buffer }) {
      if (buffer.byteLength === BATCH_BYTES && free.length < FREE_BATCHES) free.push(buffer);
    },
  };
}

/** UTF-8 has at most three bytes for what is one character to JavaScript. */
function mostBytes(row: LogRow): number {
  let bytes = (HEADER_SLOTS + row.length + 1) * SLOT_BYTES;
  for (let i = 1; i < row.length; i++) {
    const value = row[i];
    if (typeof value === 'string') bytes += 3 * value.length;
  }
  return bytes;
}

/** Returns where it ends. */
function writeRow({ slots, bytes }: Space, start: number, row: LogRow): number {
  const kind = row[0];
  const isKept = kind === 'message' || kind === 'session';
  const fields = isKept ? row.length - 1 : row.length;
  const header = start / SLOT_BYTES;
  let slot = header + HEADER_SLOTS;
  let texts = '';
  for (let i = 1; i < fields; i++) {
    const value = row[i]!;
    if (typeof value === 'string') {
      slots[slot++] = value.length;
      texts += value;
    } else slots[slot++] = value === null ? NOTHING : asSlot(value);
  }
  const textsStart = slot * SLOT_BYTES;
  const textsEnd = textsStart + bytes.write(texts, textsStart);
  const end = isKept ? writeLine(bytes, textsEnd, row[fields] as string) : textsEnd;
  slots[header] = KINDS.indexOf(kind);
  slots[header + 1] = fields - 1;
  slots[header + 2] = textsStart;
  slots[header + 3] = textsEnd;
  slots[header + 4] = end;
  return whole(end);
}

function writeLine(bytes: Buffer, start: number, text: string): number {
  const end = start + bytes.write(text, start);
  bytes[end] = LINE_FEED;
  return end + 1;
}

/** Its rows of these kinds (default all), in the order in which they were put in. Their details are parts of the batch. */
export function* rowsOf<K extends Kind = Kind>(
  batch: Batch,
  kinds: readonly K[] = KINDS as readonly Kind[] as readonly K[],
): Generator<Extract<BatchRow, readonly [K, ...unknown[]]>> {
  const space = spaceOver(batch.buffer);
  const { slots } = space;
  for (let start = 0; start < batch.length; ) {
    const header = start / SLOT_BYTES;
    if ((kinds as readonly Kind[]).includes(KINDS[slots[header]!]!)) yield readRow(space, header) as never;
    start = whole(slots[header + 4]!);
  }
}

function readRow({ slots, bytes }: Space, header: number): BatchRow {
  const fields = slots[header + 1]!;
  const textsEnd = slots[header + 3]!;
  const end = slots[header + 4]!;
  const texts = bytes.toString('utf8', slots[header + 2], textsEnd);
  const row: (string | number | null | Uint8Array)[] = [KINDS[slots[header]!]!];
  let from = 0;
  for (let i = 0; i < fields; i++) {
    const value = slots[header + HEADER_SLOTS + i]!;
    if (value === NOTHING) row.push(null);
    else if (value < NOTHING) row.push(asSlot(value));
    else {
      row.push(texts.slice(from, from + value));
      from += value;
    }
  }
  if (end > textsEnd) row.push(bytes.subarray(textsEnd, end));
  return row as unknown as BatchRow;
}
