/**
 * Receives a message: in memory while it is small, in a file beyond that, in both in between.
 *
 * A file is durable when `finish` resolves: written, synced, and its folder synced. A failed sync is
 * never tried again on the same file: the file is deleted and the message refused. What stays in
 * memory beside its file is within a budget that all spools share; what finds no room there goes
 * through the file alone, hashed as it comes.
 */
import { createHash, type Hash } from 'node:crypto';
import type { ContentRef } from '../../model/content.ts';
import type { Disk, DiskFile } from '../../world/disk.ts';
import type { Spool, StagedContent } from '../contract.ts';
import { KEPT_CONTENT_BYTES, ROW_CONTENT_BYTES, SPOOL_BUFFERED_BYTES } from '../limits.ts';
import { diskError } from './disk-error.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { contentInPieces, rowContent } from './memory-content.ts';
import { createPieces } from './pieces.ts';
import type { Place } from './places.ts';

export interface SpoolParts {
  readonly disk: Disk;
  /** For content that is kept beside its file. */
  readonly memory: MemoryBudget;
  place(): Promise<Place>;
  open(key: string, sizeBytes: number, sha256: string): ContentRef;
  onFailure(error: unknown): void;
  onSuccess(): void;
}

interface OpenFile extends Place {
  readonly file: DiskFile;
}

export function createSpool(parts: SpoolParts): Spool {
  const { disk, memory } = parts;
  const buffered = createPieces();
  let sizeBytes = 0;
  /** Of the shared memory. */
  let takenBytes = 0;
  /** From when the file is written while the message comes. */
  let hash: Hash | undefined;
  let target: OpenFile | undefined;
  let writing: Promise<void> | undefined;
  let failure: unknown;
  let over = false;

  /** All of it is in `buffered`, and may be. */
  const staysInMemory = (): boolean => {
    if (hash) return false;
    if (sizeBytes <= ROW_CONTENT_BYTES || takenBytes > 0) return sizeBytes <= KEPT_CONTENT_BYTES;
    if (sizeBytes > KEPT_CONTENT_BYTES || !memory.take(KEPT_CONTENT_BYTES)) return false;
    takenBytes = KEPT_CONTENT_BYTES;
    return true;
  };

  const giveBack = (): void => {
    memory.giveBack(takenBytes);
    takenBytes = 0;
  };

  const toFile = (chunk: Uint8Array): void => {
    if (hash) hash.update(chunk);
    else {
      hash = hashing(buffered.all());
      giveBack();
    }
    writing ??= pump();
  };

  /** Writes what is buffered until nothing is; one call at a time. */
  const pump = async (): Promise<void> => {
    try {
      target ??= await createTarget(parts);
      while (buffered.sizeBytes > 0 && !over) await target.file.append(buffered.take());
    } catch (error) {
      failure = error;
      buffered.take();
    } finally {
      writing = undefined;
    }
  };

  const abandon = async (): Promise<void> => {
    over = true;
    giveBack();
    await writing;
    if (!target) return;
    const { file, path } = target;
    target = undefined;
    closeQuietly(file);
    await disk.remove(path).catch(ignore);
  };

  /** What was received is on the disk when this resolves. */
  const durable = async (): Promise<Place> => {
    try {
      while (writing) await writing;
      if (failure !== undefined) throw failure;
      const { file, ...place } = target!;
      await file.sync();
      file.close();
      await place.syncFolder();
      over = true;
      parts.onSuccess();
      return place;
    } catch (error) {
      parts.onFailure(error);
      await abandon();
      throw diskError(error, 'keep a message');
    }
  };

  const discard = (path: string): void => void disk.remove(path).catch(ignore);

  /** In the file and in memory. */
  const finishKept = async (): Promise<StagedContent> => {
    const pieces = buffered.all();
    writing = pump();
    // While the disk is at work.
    const sha256 = hashing(pieces).digest('hex');
    const { key, path } = await durable();
    memory.giveBack(takenBytes - sizeBytes);
    takenBytes = sizeBytes;
    return {
      ...contentInPieces(pieces, sizeBytes, sha256),
      home: { kind: 'blob', key },
      release: giveBack,
      discard() {
        giveBack();
        discard(path);
      },
    };
  };

  const finishFile = async (): Promise<StagedContent> => {
    const { key, path } = await durable();
    const sha256 = hash!.digest('hex');
    const { open } = parts.open(key, sizeBytes, sha256);
    return { sizeBytes, sha256, open, home: { kind: 'blob', key }, discard: () => discard(path) };
  };

  return {
    get sizeBytes() {
      return sizeBytes;
    },
    write(chunk) {
      sizeBytes += chunk.length;
      if (failure !== undefined || over) return true;
      buffered.push(chunk);
      if (staysInMemory()) return true;
      toFile(chunk);
      return buffered.sizeBytes < SPOOL_BUFFERED_BYTES;
    },
    async drained() {
      while (writing) await writing;
    },
    finish() {
      if (hash) return finishFile();
      if (takenBytes > 0) return finishKept();
      over = true;
      return rowContent(joined(buffered.take(), sizeBytes));
    },
    discard: () => void abandon(),
  };
}

async function createTarget(parts: SpoolParts): Promise<OpenFile> {
  const place = await parts.place();
  return { ...place, file: await parts.disk.create(place.path) };
}

function hashing(chunks: readonly Uint8Array[]): Hash {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash;
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

function closeQuietly(file: DiskFile): void {
  try {
    file.close();
  } catch {
    // It is given up anyway.
  }
}

function ignore(): void {}
