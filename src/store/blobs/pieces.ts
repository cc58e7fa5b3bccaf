/**
 * A message in order, in pieces of our own: what comes is copied, since its memory is used again for
 * what comes next.
 *
 * A small message that comes in one chunk is one piece of its size. Larger ones, and those of who sends
 * byte by byte, are gathered in slabs.
 */
import { GATHERED_FROM_PIECES, SLAB_BYTES, SLAB_FROM_BYTES } from '../limits.ts';
import type { Slabs } from './slabs.ts';

export class Pieces {
  sizeBytes = 0;
  readonly #slabs: Slabs;
  #list: Uint8Array[] = [];
  #slab: Buffer | undefined;
  #slabBytes = 0;

  constructor(slabs: Slabs) {
    this.#slabs = slabs;
  }

  push(chunk: Uint8Array): void {
    this.sizeBytes += chunk.length;
    if (!this.#slab && chunk.length < SLAB_FROM_BYTES && this.#list.length < GATHERED_FROM_PIECES)
      this.#list.push(Buffer.from(chunk));
    else for (let at = 0; at < chunk.length; ) at += this.#fill(chunk, at);
  }

  /** What was pushed and not taken. */
  all(): readonly Uint8Array[] {
    this.#seal();
    return this.#list;
  }

  take(): readonly Uint8Array[] {
    const taken = this.all();
    this.#list = [];
    this.sizeBytes = 0;
    return taken;
  }

  /** Returns how many bytes found room in the slab. */
  #fill(chunk: Uint8Array, from: number): number {
    this.#slab ??= this.#slabs.take();
    const part = chunk.subarray(from, from + SLAB_BYTES - this.#slabBytes);
    this.#slab.set(part, this.#slabBytes);
    this.#slabBytes += part.length;
    if (this.#slabBytes === SLAB_BYTES) this.#seal();
    return part.length;
  }

  #seal(): void {
    if (this.#slab) this.#list.push(this.#slab.subarray(0, this.#slabBytes));
    this.#slab = undefined;
    this.#slabBytes = 0;
  }
}
