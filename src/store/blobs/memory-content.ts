/** Content that is in memory anyway: a message from its row, or one that just came in. */
import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange, ContentRef } from '../../model/content.ts';
import type { StagedContent } from '../contract.ts';

/** Its hash is made when it is asked for: nothing is compared with it while the octets stay where they are. */
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
  readonly home: StagedContent['home'] = { kind: 'row', bytes: this.bytes };

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

/** In memory and in a file: from the file once the memory was released, which the next message uses then. */
export class KeptContent implements StagedContent {
  readonly home: StagedContent['home'];
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly release: () => void;
  #pieces: readonly Uint8Array[] | undefined;
  readonly #file: ContentRef;
  readonly #remove: () => void;

  constructor(
    key: string,
    file: ContentRef,
    pieces: readonly Uint8Array[],
    end: { readonly giveBack: (pieces: readonly Uint8Array[]) => void; readonly remove: () => void },
  ) {
    this.home = { kind: 'blob', key };
    this.sizeBytes = file.sizeBytes;
    this.sha256 = file.sha256;
    this.#file = file;
    this.#pieces = pieces;
    this.release = () => {
      if (this.#pieces) end.giveBack(this.#pieces);
      this.#pieces = undefined;
    };
    this.#remove = end.remove;
  }

  get pieces(): readonly Uint8Array[] | undefined {
    return this.#pieces;
  }

  open(range?: ByteRange): Readable {
    return this.#pieces ? Readable.from(this.#read(range), { objectMode: false }) : this.#file.open(range);
  }

  discard(): void {
    this.release();
    this.#remove();
  }

  /** In copies, since a reader may look at a part when its memory is another message's. */
  *#read({ start, end }: ByteRange = { start: 0, end: this.sizeBytes }): Generator<Uint8Array> {
    let at = 0;
    for (let i = 0; at < end; i++) {
      if (!this.#pieces) throw new Error('invariant broken: content was released while it was read');
      const piece = this.#pieces[i]!;
      const part = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
      at += piece.length;
      if (part.length > 0) yield Buffer.from(part);
    }
  }
}
