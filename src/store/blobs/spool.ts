/**
 * Receives a message: in memory while it is small, hashed as it comes, in a file beyond that.
 *
 * A file is durable when `finish` resolves: written, synced, and its folder synced. A failed sync is
 * never tried again on the same file: the file is deleted and the message refused.
 */
import { createHash, type Hash, hash as hashOf } from 'node:crypto';
import type { ByteRange } from '../../model/content.ts';
import type { Disk, DiskFile } from '../../world/disk.ts';
import type { Spool, StagedContent } from '../contract.ts';
import { ROW_CONTENT_BYTES, SPOOL_BUFFERED_BYTES } from '../limits.ts';
import { diskError } from './disk-error.ts';
import { memoryContent } from './memory-content.ts';

export interface SpoolParts {
  readonly disk: Disk;
  newKey(): string;
  /** Makes the folder of a key, once; returns the file's path and its folder. */
  place(key: string): Promise<{ readonly path: string; readonly folder: string }>;
  open(key: string, sizeBytes: number, sha256: string): { open(range?: ByteRange): import('node:stream').Readable };
  onFailure(error: unknown): void;
  onSuccess(): void;
}

interface OpenFile {
  readonly key: string;
  readonly path: string;
  readonly folder: string;
  readonly file: DiskFile;
}

export function createSpool(parts: SpoolParts): Spool {
  let hash: Hash | undefined;
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  let sizeBytes = 0;
  let target: OpenFile | undefined;
  let writing: Promise<void> | undefined;
  let failure: unknown;
  let over = false;

  /** Writes what is buffered until nothing is; one call at a time. */
  const pump = async (): Promise<void> => {
    try {
      target ??= await createTarget(parts);
      while (buffered.length > 0 && !over) {
        const chunks = buffered;
        buffered = [];
        bufferedBytes = 0;
        await target.file.append(chunks);
      }
    } catch (error) {
      failure = error;
      buffered = [];
      bufferedBytes = 0;
    } finally {
      writing = undefined;
    }
  };

  const abandon = async (): Promise<void> => {
    over = true;
    await writing;
    if (!target) return;
    const { file, path } = target;
    target = undefined;
    await file.close().catch(ignore);
    await parts.disk.remove(path).catch(ignore);
  };

  const keep = async (): Promise<StagedContent> => {
    try {
      while (writing) await writing;
      if (failure !== undefined) throw failure;
      const { key, file, path, folder } = target!;
      const sha256 = hash!.digest('hex');
      await file.sync();
      await file.close();
      await parts.disk.syncFolder(folder);
      over = true;
      parts.onSuccess();
      const content = parts.open(key, sizeBytes, sha256);
      return {
        sizeBytes,
        sha256,
        open: content.open,
        home: { kind: 'blob', key },
        discard: () => void parts.disk.remove(path).catch(ignore),
      };
    } catch (error) {
      parts.onFailure(error);
      await abandon();
      throw diskError(error, 'keep a message');
    }
  };

  /** What stays small is hashed in one go at its end, which costs half. */
  const hashOn = (chunk: Uint8Array): void => {
    if (!hash) {
      if (sizeBytes <= ROW_CONTENT_BYTES) return;
      hash = createHash('sha256');
      for (const earlier of buffered) hash.update(earlier);
    }
    hash.update(chunk);
  };

  return {
    get sizeBytes() {
      return sizeBytes;
    },
    write(chunk) {
      sizeBytes += chunk.length;
      hashOn(chunk);
      if (failure !== undefined || over) return true;
      buffered.push(chunk);
      bufferedBytes += chunk.length;
      if (sizeBytes > ROW_CONTENT_BYTES) writing ??= pump();
      return bufferedBytes < SPOOL_BUFFERED_BYTES;
    },
    async drained() {
      while (writing) await writing;
    },
    finish() {
      if (sizeBytes > ROW_CONTENT_BYTES || target || writing || failure !== undefined) return keep();
      over = true;
      const bytes = joined(buffered, sizeBytes);
      return rowContent(bytes, hash ? hash.digest('hex') : hashOf('sha256', bytes, 'hex'));
    },
    discard: () => void abandon(),
  };
}

async function createTarget(parts: SpoolParts): Promise<OpenFile> {
  const key = parts.newKey();
  const { path, folder } = await parts.place(key);
  return { key, path, folder, file: await parts.disk.create(path) };
}

export function rowContent(bytes: Uint8Array, sha256: string): StagedContent {
  return { ...memoryContent(bytes, sha256), home: { kind: 'row', bytes }, discard: ignore };
}

function joined(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function ignore(): void {}
