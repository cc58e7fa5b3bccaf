/**
 * The hashes of one body for all its signatures: at most one for each canonicalisation, over the whole body, with its
 * length. A signature that covers less (`l=`) is not accepted, so no part is hashed for it; a signature that covers
 * all of it uses the hash of the whole.
 *
 * Streams: holds no more than a chunk. Bare line feeds count as CRLF (RFC 6376 5.3).
 */
import { type BodyHash, relaxedBodyHash, simpleBodyHash } from './canonical.ts';
import type { Canonicalization } from './read-signature.ts';

/** Undefined in `most`: the hash of the whole body is needed, however long it is. */
export interface WantedHash {
  readonly how: Canonicalization;
  /** The number of canonical bytes after which hashing may stop. */
  readonly most?: number;
}

export interface HashedBody {
  readonly how: Canonicalization;
  readonly hash: string;
  /** Canonical bytes; more than `most` if hashing stopped there. */
  readonly length: number;
}

export interface BodyHashes {
  push(chunk: Uint8Array): void;
  /** Further input changes nothing. */
  isDone(): boolean;
  end(): readonly HashedBody[];
}

const LF = 10;
const CR = 13;

export function bodyHashes(wanted: readonly WantedHash[]): BodyHashes {
  const hashes = wanted.map(({ how, most = Number.POSITIVE_INFINITY }) => ({
    how,
    most,
    hash: how === 'relaxed' ? relaxedBodyHash() : simpleBodyHash(),
  }));
  const isOpen = ({ hash, most }: { hash: BodyHash; most: number }): boolean => hash.length() <= most;
  let last = LF;
  return {
    push(chunk) {
      if (chunk.length === 0) return;
      const bytes = withCrLf(chunk, last);
      last = chunk[chunk.length - 1]!;
      for (const one of hashes) if (isOpen(one)) one.hash.push(bytes);
    },
    isDone: () => !hashes.some(isOpen),
    end: () =>
      hashes.map(({ how, hash }) => {
        const value = hash.end();
        return { how, hash: value, length: hash.length() };
      }),
  };
}

/** The same chunk if no change is needed. `before`: the byte before it. */
function withCrLf(chunk: Uint8Array, before: number): Uint8Array {
  let bare = 0;
  const isBare = (at: number): boolean => (at === 0 ? before : chunk[at - 1]) !== CR;
  for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) if (isBare(at)) bare++;
  if (bare === 0) return chunk;
  const bytes = new Uint8Array(chunk.length + bare);
  let from = 0;
  let to = 0;
  for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
    if (!isBare(at)) continue;
    bytes.set(chunk.subarray(from, at), to);
    to += at - from;
    bytes[to++] = CR;
    from = at;
  }
  bytes.set(chunk.subarray(from), to);
  return bytes;
}
