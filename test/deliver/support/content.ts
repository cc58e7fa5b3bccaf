/** Contents for tests: held in memory, or handed out as a stream in small blocks. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ContentRef } from '../../../src/model/content.ts';

export function contentOf(bytes: Buffer, isStreamed = false, blockBytes = 16_384): ContentRef {
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    ...(!isStreamed && { bytes }),
    open: (range) => Readable.from(blocks(bytes.subarray(range?.start, range?.end), blockBytes)),
  };
}

function* blocks(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A stream that breaks in the middle, as a damaged file does. */
export function brokenContent(bytes: Buffer, error: Error = new Error('the disk does not answer')): ContentRef {
  return {
    ...contentOf(bytes, true),
    open: () =>
      Readable.from(
        (function* () {
          yield bytes.subarray(0, bytes.length >> 1);
          throw error;
        })(),
      ),
  };
}
