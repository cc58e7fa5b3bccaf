/**
 * Content in a file, read on demand: its size is verified when it is opened, its hash when the whole
 * of it has streamed by, before the last bytes are given out.
 *
 * Errors of the stream: OperationalError `content.missing`, `content.corrupt`, `store.unavailable`.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange, ContentRef } from '../../model/content.ts';
import { OperationalError } from '../../model/errors.ts';
import type { Disk, DiskFile } from '../../world/disk.ts';
import { CONTENT_READ_BYTES } from '../limits.ts';
import { diskError } from './disk-error.ts';

export function fileContent(disk: Disk, path: string, sizeBytes: number, sha256: string): ContentRef {
  return {
    sizeBytes,
    sha256,
    open: (range) => Readable.from(read(disk, path, sizeBytes, sha256, range), { objectMode: false }),
  };
}

async function* read(
  disk: Disk,
  path: string,
  sizeBytes: number,
  sha256: string,
  range: ByteRange = { start: 0, end: sizeBytes },
): AsyncGenerator<Uint8Array> {
  const file = await openSized(disk, path, sizeBytes);
  try {
    const hash = range.start === 0 && range.end === sizeBytes ? createHash('sha256') : undefined;
    for (let at = range.start; at < range.end; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(CONTENT_READ_BYTES, range.end - at));
      const got = await reading(file.read(chunk, at));
      at += got;
      if (got < chunk.length) throw corrupt(path, `it ends at octet ${at}`);
      hash?.update(chunk);
      if (at === range.end && hash && hash.digest('hex') !== sha256) throw corrupt(path, 'its SHA-256 differs');
      yield chunk;
    }
  } finally {
    file.close();
  }
}

async function openSized(disk: Disk, path: string, sizeBytes: number): Promise<DiskFile> {
  let file: DiskFile;
  try {
    file = await disk.open(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw diskError(cause, `read ${path}`);
    throw new OperationalError('content.missing', `cannot read ${path}, as it must exist: it does not`, { cause });
  }
  const actual = file.sizeBytes();
  if (actual === sizeBytes) return file;
  file.close();
  throw corrupt(path, `it has ${actual} octets instead of ${sizeBytes}`);
}

async function reading<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw diskError(cause, 'read content');
  }
}

function corrupt(path: string, said: string): OperationalError {
  return new OperationalError('content.corrupt', `cannot read ${path}, as it must be what was written: ${said}`);
}
