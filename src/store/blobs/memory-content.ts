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
