/**
 * What a peer sent and nobody took yet: handed out as lines or as raw bytes.
 *
 * Only CRLF ends a line. A bare LF ends nothing and is reported, since two servers that disagree
 * about it can be played against each other. Bounded: a line beyond its limit is dropped as it comes.
 */
import { ENDLESS_LINE_BYTES } from './limits.ts';

const CR = 0x0d;
const LF = 0x0a;
const EMPTY: Buffer = Buffer.alloc(0);

/** `too-long`: such a line has ended, and is gone. `endless`: it has not, and will not be waited for. */
export type Line = Buffer | 'incomplete' | 'too-long' | 'endless' | 'bare-lf';

export class InputBuffer {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Octets of a line that grew too long, dropped so far. */
  #dropped = 0;

  get length(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next line without its CRLF. `limit` counts octets with CRLF. */
  takeLine(limit: number): Line {
    const all = this.#joined();
    const end = all.indexOf(LF);
    if (end < 0) return all.length + this.#dropped <= limit ? 'incomplete' : this.#drop(all);
    if (end === 0 || all[end - 1] !== CR) return 'bare-lf';
    this.#keep(all.subarray(end + 1));
    const tooLong = this.#dropped > 0 || end + 1 > limit;
    this.#dropped = 0;
    return tooLong ? 'too-long' : all.subarray(0, end - 1);
  }

  /** Everything there is; what is not wanted goes back by `giveBack`. */
  takeAll(): Buffer {
    const all = this.#joined();
    this.#keep(EMPTY);
    return all;
  }

  giveBack(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#chunks.unshift(rest);
    this.#bytes += rest.length;
  }

  /** Forgets what there is; returns how many bytes that was. */
  clear(): number {
    const cleared = this.#bytes;
    this.#keep(EMPTY);
    this.#dropped = 0;
    return cleared;
  }

  /** Keeps the last byte, which may be the CR of the CRLF that ends the line. */
  #drop(all: Buffer): Line {
    this.#dropped += all.length - 1;
    this.#keep(all.subarray(all.length - 1));
    return this.#dropped > ENDLESS_LINE_BYTES ? 'endless' : 'incomplete';
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? EMPTY;
  }

  #keep(rest: Buffer): void {
    this.#bytes = rest.length;
    if (rest.length > 0) this.#chunks = [rest];
    else if (this.#chunks.length > 0) this.#chunks = [];
  }
}
