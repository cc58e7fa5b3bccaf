/** Content that is in memory anyway: a message from its row, or one that just came in. */
import { createHash, type Hash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange, ContentRef } from '../../model/content.ts';
import type { StagedContent } from '../contract.ts';

/** Its hash is made when it is asked for: nothing is compared with it while the bytes stay where they are. */
class MemoryContent implements ContentRef {
  readonly bytes: Uint8Array;
  #sha256: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  get sha256(): string {
    this.#sha256 ??= hash('sha256', this.bytes, 'hex');
    return this.#sha256;
  }

  open(range?: ByteRange): Readable {
    return Readable.from([range ? this.bytes.subarray(range.start, range.end) : this.bytes]);
  }
}

class RowContent extends MemoryContent implements StagedContent {
  readonly home: StagedContent['home'] = { kind: 'row', pieces: [this.bytes] };

  discard(): void {
    // The collector does it.
  }
}

export function memoryContent(bytes: Uint8Array): ContentRef {
  return new MemoryContent(bytes);
}

export function rowContent(bytes: Uint8Array): StagedContent {
  return new RowContent(bytes);
}

/** In memory that the next message uses once this one has let go of it. */
export class SharedContent implements StagedContent {
  readonly sizeBytes: number;
  readonly #giveBack: (pieces: readonly Uint8Array[]) => void;
  #pieces: readonly Uint8Array[] | undefined;
  #sha256: string | undefined;

  constructor(pieces: readonly Uint8Array[], sizeBytes: number, giveBack: (pieces: readonly Uint8Array[]) => void) {
    this.#pieces = pieces;
    this.sizeBytes = sizeBytes;
    this.#giveBack = giveBack;
  }

  get pieces(): readonly Uint8Array[] {
    if (!this.#pieces) throw new Error('invariant broken: content was read after it was released');
    return this.#pieces;
  }

  get home(): StagedContent['home'] {
    return { kind: 'row', pieces: this.pieces };
  }

  get sha256(): string {
    this.#sha256 ??= hashing(this.pieces).digest('hex');
    return this.#sha256;
  }

  open({ start, end }: ByteRange = { start: 0, end: this.sizeBytes }): Readable {
    return Readable.from(this.#read(start, end), { objectMode: false });
  }

  release = (): void => {
    if (this.#pieces) this.#giveBack(this.#pieces);
    this.#pieces = undefined;
  };

  discard(): void {
    this.release();
  }

  /** In copies, since a reader may look at a part when its memory is another message's. */
  *#read(start: number, end: number): Generator<Uint8Array> {
    let at = 0;
    for (let i = 0; at < end; i++) {
      const piece = this.pieces[i]!;
      const part = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
      at += piece.length;
      if (part.length > 0) yield Buffer.from(part);
    }
  }
}

/** SHA-256 of these; what comes behind them is added by the caller. */
export function hashing(pieces: readonly Uint8Array[]): Hash {
  const sum = createHash('sha256');
  for (const piece of pieces) sum.update(piece);
  return sum;
}
