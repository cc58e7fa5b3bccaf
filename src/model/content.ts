/**
 * A handle to a message's bytes: immutable, never a Buffer above 256 kB (limits.ts of store).
 * Where the bytes live (row, file, S3) is the blob store's business.
 */
import type { Readable } from 'node:stream';
import type { BodyType } from './envelope.ts';

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export interface ContentRef {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** The bytes, where the store has them in memory already; saves small messages a stream. */
  readonly bytes?: Uint8Array;
  /** The same in several pieces, while a larger message is in memory. */
  readonly pieces?: readonly Uint8Array[];
  /** Streams a range (default: all). Errors: OperationalError `content.missing`, `content.corrupt`. */
  open(range?: ByteRange): Readable;
}

/** Ordered edits of the header; the content itself is never rewritten. */
export type HeaderEdit =
  /** Raw header lines with CRLF, put on top of the header (a later prepend goes above an earlier one). */
  | { readonly kind: 'prepend'; readonly raw: string }
  /** Removes the occurrence-th (0 = topmost) field of that name, case-insensitive. */
  | { readonly kind: 'remove'; readonly name: string; readonly occurrence: number }
  | { readonly kind: 'replace'; readonly name: string; readonly occurrence: number; readonly raw: string };

/** Replaces `length` bytes of the original from `offset` on. Several splices are in order and do not overlap. */
export interface Splice {
  readonly offset: number;
  readonly length: number;
  readonly with: ContentRef;
  /**
   * What the new bytes require of a peer. The author of the splice declares it: the bytes are not read to find out.
   */
  readonly body: BodyType;
}
