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

export function contentInPieces(pieces: readonly Uint8Array[], sizeBytes: number, sha256: string): ContentRef {
  return {
    sizeBytes,
    sha256,
    pieces,
    open: (range) => Readable.from(range ? within(pieces, range) : pieces, { objectMode: false }),
  };
}

function within(pieces: readonly Uint8Array[], { start, end }: ByteRange): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  for (const piece of pieces) {
    const part = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.length > 0) found.push(part);
    at += piece.length;
  }
  return found;
}
