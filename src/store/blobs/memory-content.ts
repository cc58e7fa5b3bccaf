/** Content that is in memory anyway: a message from its row, or one that just came in. */
import { Readable } from 'node:stream';
import type { ByteRange, ContentRef } from '../../model/content.ts';

export function memoryContent(bytes: Uint8Array, sha256: string): ContentRef {
  return {
    sizeBytes: bytes.length,
    sha256,
    bytes,
    open: (range?: ByteRange) => Readable.from([range ? bytes.subarray(range.start, range.end) : bytes]),
  };
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
