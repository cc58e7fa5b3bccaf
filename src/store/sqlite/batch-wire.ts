/**
 * How a batch of units travels to the writer thread: one flat array and one block of bytes.
 *
 * A structured clone of nested arrays with a buffer each costs three times as much as this. The
 * caller keeps its buffers: they are copied once, into the block, which then changes hands.
 */
import type { SqlValue, Statement } from '../contract.ts';
import type { Unit } from './units.ts';

export interface BatchMessage {
  /** Texts not sent before; each gets the next number. */
  readonly texts: readonly string[];
  /** Per unit: statements; per statement: text number, 1 if it must change a row, parameters, values. `true`: the next blob. */
  readonly flat: readonly (SqlValue | true)[];
  readonly blobLengths: readonly number[];
  readonly block: ArrayBuffer;
}

export function createBatchEncoder(): (units: readonly Unit[]) => BatchMessage {
  const numbers = new Map<string, number>();
  return (units) => {
    const texts: string[] = [];
    const flat: (SqlValue | true)[] = [];
    const blobs: Uint8Array[] = [];
    for (const unit of units) {
      flat.push(unit.length);
      for (const { sql, parameters, expect } of unit) {
        let number = numbers.get(sql);
        if (number === undefined) {
          number = numbers.size;
          numbers.set(sql, number);
          texts.push(sql);
        }
        flat.push(number, expect ? 1 : 0, parameters.length);
        for (const value of parameters) {
          if (value instanceof Uint8Array) {
            blobs.push(value);
            flat.push(true);
          } else flat.push(value);
        }
      }
    }
    return { texts, flat, ...pack(blobs) };
  };
}

function pack(blobs: readonly Uint8Array[]): { blobLengths: readonly number[]; block: ArrayBuffer } {
  const blobLengths = new Array<number>(blobs.length);
  let size = 0;
  for (let i = 0; i < blobs.length; i++) {
    const { length } = blobs[i]!;
    blobLengths[i] = length;
    size += length;
  }
  // Not cleared: every byte is written below.
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const blob of blobs) {
    bytes.set(blob, at);
    at += blob.length;
  }
  return { blobLengths, block: bytes.buffer };
}

export function createBatchDecoder(): (message: BatchMessage) => Unit[] {
  const known: string[] = [];
  return ({ texts, flat, blobLengths, block }) => {
    known.push(...texts);
    const units: Unit[] = [];
    let at = 0;
    let blob = 0;
    let offset = 0;
    while (at < flat.length) {
      const unit: Statement[] = [];
      for (let left = flat[at++] as number; left > 0; left--) {
        const sql = known[flat[at] as number]!;
        const expect = flat[at + 1] === 1 ? 'changed' : undefined;
        const parameters = flat.slice(at + 3, at + 3 + (flat[at + 2] as number));
        at += 3 + parameters.length;
        for (let i = 0; i < parameters.length; i++) {
          if (parameters[i] !== true) continue;
          const length = blobLengths[blob++]!;
          parameters[i] = new Uint8Array(block, offset, length);
          offset += length;
        }
        unit.push({ sql, parameters: parameters as SqlValue[], expect });
      }
      units.push(unit);
    }
    return units;
  };
}
