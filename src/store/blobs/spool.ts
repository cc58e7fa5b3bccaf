/**
 * Receives a message: in memory while it is small, in a file beyond that.
 *
 * A file is durable when `finish` resolves: written, synced, and its folder synced. A failed sync is
 * never tried again on the same file: the file is deleted and the message refused. What is no longer
 * quite small stays in memory within a budget that all spools share; what finds no room there goes
 * through a file, hashed as it comes.
 */
import type { Hash } from 'node:crypto';
import type { ContentRef } from '../../model/content.ts';
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { Disk, DiskFile } from '../../world/disk.ts';
import type { Spool, StagedContent } from '../contract.ts';
import { HEAD_BYTES, KEPT_CONTENT_BYTES, ROW_CONTENT_BYTES, SPOOL_BUFFERED_BYTES } from '../limits.ts';
import { diskError } from './disk-error.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { hashing, rowContent, SharedContent } from './memory-content.ts';
import { Pieces } from './pieces.ts';
import type { Place } from './places.ts';
import type { Slabs } from './slabs.ts';

export interface SpoolParts {
  readonly disk: Disk;
  readonly slabs: Slabs;
  /** For content that is no longer quite small. */
  readonly memory: MemoryBudget;
  place(): Promise<Place>;
  open(key: string, sizeBytes: number, sha256: string): ContentRef;
  onFailure(error: unknown): void;
  onSuccess(): void;
}

interface OpenFile extends Place {
  readonly file: DiskFile;
}

/** A class, since every message has one: nothing is made for what only large ones need. */
export class ContentSpool implements Spool {
  sizeBytes = 0;
  readonly #parts: SpoolParts;
  readonly #buffered: Pieces;
  /** Of the shared memory. */
  #takenBytes = 0;
  /** From when the file is written while the message comes. */
  #hash: Hash | undefined;
  /** Once it is no longer in `#buffered`. */
  #head: Uint8Array | undefined;
  #target: OpenFile | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;
  #isOver = false;

  constructor(parts: SpoolParts) {
    this.#parts = parts;
    this.#buffered = new Pieces(parts.slabs);
  }

  get head(): Uint8Array {
    return this.#head ?? beginning(this.#buffered.all());
  }

  write(chunk: Uint8Array): boolean {
    this.sizeBytes += chunk.length;
    if (this.#failure !== undefined || this.#isOver) return true;
    this.#hash?.update(chunk);
    this.#buffered.push(chunk);
    if (this.#staysInMemory()) return true;
    if (!this.#hash) this.#beginFile();
    this.#writing ??= this.#pump();
    return this.#buffered.sizeBytes < SPOOL_BUFFERED_BYTES;
  }

  async drained(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  finish(): MaybePromise<StagedContent> {
    if (this.#hash) return this.#finishFile(this.#hash);
    this.#isOver = true;
    if (this.#takenBytes > 0) return this.#finishShared();
    this.#head = this.#inOne();
    return rowContent(this.#head);
  }

  discard(): void {
    void this.#abandon();
  }

  /** All of it is in `#buffered`, and may be. */
  #staysInMemory(): boolean {
    if (this.#hash) return false;
    const { sizeBytes } = this;
    if (sizeBytes <= ROW_CONTENT_BYTES || this.#takenBytes > 0) return sizeBytes <= KEPT_CONTENT_BYTES;
    if (sizeBytes > KEPT_CONTENT_BYTES || !this.#parts.memory.take(KEPT_CONTENT_BYTES)) return false;
    this.#takenBytes = KEPT_CONTENT_BYTES;
    return true;
  }

  #giveBack(): void {
    this.#parts.memory.giveBack(this.#takenBytes);
    this.#takenBytes = 0;
  }

  #keepHead(): void {
    this.#head ??= Buffer.from(this.head);
  }

  #beginFile(): void {
    this.#keepHead();
    this.#hash = hashing(this.#buffered.all());
    this.#giveBack();
  }

  /** Writes what is buffered until nothing is; one call at a time. */
  async #pump(): Promise<void> {
    try {
      while (this.#buffered.sizeBytes > 0 && !this.#isOver) {
        const pieces = this.#buffered.take();
        this.#target ??= await createTarget(this.#parts);
        await this.#target.file.append(pieces);
        this.#parts.slabs.giveBack(pieces);
      }
    } catch (error) {
      this.#failure = error;
      this.#buffered.take();
    } finally {
      this.#writing = undefined;
    }
  }

  async #abandon(): Promise<void> {
    this.#isOver = true;
    this.#keepHead();
    this.#giveBack();
    await this.#writing;
    this.#parts.slabs.giveBack(this.#buffered.take());
    if (!this.#target) return;
    const { file, path } = this.#target;
    this.#target = undefined;
    closeQuietly(file);
    await this.#parts.disk.remove(path).catch(ignore);
  }

  /** What was received is on the disk when this resolves. */
  async #durable(): Promise<Place> {
    try {
      await this.drained();
      if (this.#failure !== undefined) throw this.#failure;
      const { file, ...place } = this.#target!;
      await file.sync();
      file.close();
      await place.syncFolder();
      this.#isOver = true;
      this.#parts.onSuccess();
      return place;
    } catch (error) {
      this.#parts.onFailure(error);
      await this.#abandon();
      throw diskError(error, 'keep a message');
    }
  }

  #finishShared(): StagedContent {
    const { sizeBytes } = this;
    const { memory, slabs } = this.#parts;
    this.#keepHead();
    memory.giveBack(this.#takenBytes - sizeBytes);
    this.#takenBytes = 0;
    return new SharedContent(this.#buffered.take(), sizeBytes, (pieces) => {
      memory.giveBack(sizeBytes);
      slabs.giveBack(pieces);
    });
  }

  #inOne(): Uint8Array {
    const { slabs } = this.#parts;
    const pieces = this.#buffered.take();
    if (pieces.length === 1 && !slabs.hold(pieces[0]!)) return pieces[0]!;
    const bytes = Buffer.concat(pieces, this.sizeBytes);
    slabs.giveBack(pieces);
    return bytes;
  }

  async #finishFile(hash: Hash): Promise<StagedContent> {
    const { disk, open } = this.#parts;
    const { sizeBytes } = this;
    const { key, path } = await this.#durable();
    const content = open(key, sizeBytes, hash.digest('hex'));
    return { ...content, home: { kind: 'blob', key }, discard: () => void disk.remove(path).catch(ignore) };
  }
}

async function createTarget(parts: SpoolParts): Promise<OpenFile> {
  const place = await parts.place();
  return { ...place, file: await parts.disk.create(place.path) };
}

function beginning(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces[0];
  const isEnough = first && (pieces.length === 1 || first.length >= HEAD_BYTES);
  return (isEnough ? first : Buffer.concat(pieces)).subarray(0, HEAD_BYTES);
}

function closeQuietly(file: DiskFile): void {
  try {
    file.close();
  } catch {
    // It is given up anyway.
  }
}

function ignore(): void {}
