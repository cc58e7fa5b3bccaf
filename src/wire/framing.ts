/**
 * Input that a peer sent and nobody took yet: returned as lines or as raw bytes.
 *
 * Only CRLF ends a line. A bare LF ends nothing and is reported, since an attacker can exploit that two servers
 * disagree about it. Bounded: a line beyond its limit is dropped as it arrives.
 */
import { ENDLESS_LINE_BYTES } from './limits.ts';

const CR = 0x0d;
const LF = 0x0a;
const EMPTY: Buffer = Buffer.alloc(0);

/** `too-long`: the line has ended, and is dropped. `endless`: it has not ended, and will not be waited for. */
export type Line = Buffer | 'incomplete' | 'too-long' | 'endless' | 'bare-lf';

export class InputBuffer {
  #first: Buffer = EMPTY;
  /** Chunks that came after the first, not joined yet. */
  #more: Buffer[] = [];
  #bytes = 0;
  /** The first chunk was lent, and is valid until `keep`. */
  #lent = false;
  /** Bytes dropped so far of a line that grew too long. */
  #dropped = 0;

  get length(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    if (this.#bytes === 0) this.#first = chunk;
    else this.#more.push(chunk);
    this.#bytes += chunk.length;
  }

  /** As `push`, for bytes that are overwritten once `keep` has been called. */
  lend(chunk: Buffer): void {
    this.#lent = this.#bytes === 0;
    this.push(this.#lent ? chunk : Buffer.from(chunk));
  }

  /** Copies the lent bytes that nobody took. */
  keep(): void {
    if (this.#lent && this.#bytes > 0) this.#first = Buffer.from(this.#first);
    this.#lent = false;
  }

  /** The next line without its CRLF; it may be lent. `limit` counts bytes with CRLF. */
  takeLine(limit: number): Line {
    const all = this.#joined();
    const end = all.indexOf(LF);
    if (end < 0) return all.length + this.#dropped <= limit ? 'incomplete' : this.#drop(all);
    if (end === 0 || all[end - 1] !== CR) return 'bare-lf';
    this.#leave(end + 1 === all.length ? EMPTY : all.subarray(end + 1));
    const tooLong = this.#dropped > 0 || end + 1 > limit;
    this.#dropped = 0;
    return tooLong ? 'too-long' : all.subarray(0, end - 1);
  }

  /** All input; it may be lent. The unwanted rest goes back by `giveBack`. */
  takeAll(): Buffer {
    const all = this.#joined();
    this.#leave(EMPTY);
    return all;
  }

  /** Returns a part of the bytes just taken. */
  giveBack(rest: Buffer): void {
    if (rest.length > 0) this.#leave(rest);
  }

  /** Discards the input; returns how many bytes it had. */
  clear(): number {
    const cleared = this.#bytes;
    this.#more = [];
    this.#leave(EMPTY);
    this.#dropped = 0;
    return cleared;
  }

  /** Keeps the last byte, which may be the CR of the CRLF that ends the line. */
  #drop(all: Buffer): Line {
    this.#dropped += all.length - 1;
    this.#leave(all.subarray(all.length - 1));
    return this.#dropped > ENDLESS_LINE_BYTES ? 'endless' : 'incomplete';
  }

  #joined(): Buffer {
    if (this.#more.length > 0) {
      this.#first = Buffer.concat([this.#first, ...this.#more]);
      this.#lent = false;
      this.#more = [];
    }
    return this.#first;
  }

  /** Sets what is left of the joined input. */
  #leave(rest: Buffer): void {
    this.#first = rest;
    this.#bytes = rest.length;
  }
}
