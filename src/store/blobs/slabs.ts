/**
 * Memory for messages on their way through: slabs of one size that are used again.
 *
 * Memory taken from the system for each message, faulted in page by page and given back when the
 * collector finds it, costs more than all that is done with the bytes. So code that gives slabs back
 * must be the last who looks at them: the next message will be in them. What is never given back is
 * the collector's.
 */
import { SLAB_BYTES, SPARE_SLABS } from '../limits.ts';

export interface Slabs {
  take(): Buffer;
  /** Whether it lies in one that was taken. */
  hold(piece: Uint8Array): boolean;
  /** Those that these pieces lie in; a second time does nothing. */
  giveBack(pieces: readonly Uint8Array[]): void;
  /** Lets go of those that nobody uses. */
  trim(): void;
}

export function createSlabs(): Slabs {
  const taken = new WeakSet<ArrayBufferLike>();
  let spare: Buffer[] = [];
  return {
    take() {
      const slab = spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
      taken.add(slab.buffer);
      return slab;
    },
    hold: ({ buffer }) => taken.has(buffer),
    giveBack(pieces) {
      for (const { buffer } of pieces)
        if (taken.delete(buffer) && spare.length < SPARE_SLABS) spare.push(Buffer.from(buffer));
    },
    trim() {
      spare = [];
    },
  };
}
