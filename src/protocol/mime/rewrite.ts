/**
 * Writes a new message from segments, while the original streams by once.
 *
 * Push the original's bytes in order; each call returns what can be written then. Bytes of no segment are dropped.
 * Ranges of the segments are in ascending order and do not overlap.
 */
import { type BodyEncoder, createBase64Encoder } from './base64.ts';
import { createQuotedPrintableEncoder } from './quoted-printable.ts';
import type { Segment } from './types.ts';

export interface Rewriter {
  push(chunk: Uint8Array): Uint8Array[];
  end(): Uint8Array[];
}

export function createRewriter(segments: readonly Segment[]): Rewriter {
  let index = 0;
  let offset = 0;
  let encoder: BodyEncoder | undefined;

  /** Writes the segments that the bytes up to `offset + available.length` complete. */
  function write(available: Uint8Array, out: Uint8Array[]): void {
    const reached = offset + available.length;
    for (; index < segments.length; index++) {
      const segment = segments[index]!;
      if (segment.kind === 'bytes') {
        out.push(segment.bytes);
        continue;
      }
      const from = Math.max(segment.start, offset);
      const to = Math.min(segment.end, reached);
      const octets = to > from ? available.subarray(from - offset, to - offset) : undefined;
      if (segment.kind === 'original') {
        if (octets) out.push(octets);
      } else {
        encoder ??= segment.encoding === 'base64' ? createBase64Encoder() : createQuotedPrintableEncoder();
        if (octets) out.push(encoder.push(octets));
      }
      if (segment.end > reached) break;
      if (encoder) out.push(encoder.end());
      encoder = undefined;
    }
    offset = reached;
  }

  return {
    push(chunk) {
      const out: Uint8Array[] = [];
      write(chunk, out);
      return out;
    },
    end() {
      const out: Uint8Array[] = [];
      write(new Uint8Array(0), out);
      return out;
    },
  };
}
