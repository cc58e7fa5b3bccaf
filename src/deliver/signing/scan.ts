/** One pass over what goes out: its header, and the hash of its body. */
import { relaxedBodyHash } from '../../protocol/dkim/canonical.ts';
import { type SignedHeader, signedHeader } from '../../protocol/dkim/fields.ts';
import { MIME_LIMITS } from '../../protocol/mime/limits.ts';
import type { OutgoingContent } from '../../wire/client/words.ts';

export interface Scanned {
  readonly header: SignedHeader;
  readonly bodyHash: string;
}

/** Undefined: no signature over it would mean the same to every reader. */
export function scanWhole(bytes: Buffer): Scanned | undefined {
  const header = signedHeader(bytes);
  if (!header) return undefined;
  const hash = relaxedBodyHash();
  hash.push(bytes.subarray(header.bodyStart));
  return { header, bodyHash: hash.end() };
}

export async function scanStream(content: Extract<OutgoingContent, { kind: 'stream' }>): Promise<Scanned | undefined> {
  const hash = relaxedBodyHash();
  let start = Buffer.alloc(0);
  let header: SignedHeader | undefined;
  for await (const chunk of content.open()) {
    if (header) {
      hash.push(chunk);
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (!start.includes('\r\n\r\n')) {
      if (start.length > MIME_LIMITS.headerBytes * 2) return undefined;
      continue;
    }
    header = signedHeader(start);
    if (!header) return undefined;
    hash.push(start.subarray(header.bodyStart));
  }
  header ??= signedHeader(start);
  return header && { header, bodyHash: hash.end() };
}

/** Lines put on top of it. */
export function withPrefix(content: OutgoingContent, prefix: string): OutgoingContent {
  const above = Buffer.from(prefix, 'latin1');
  const sizeBytes = content.sizeBytes + above.length;
  if (content.kind === 'whole') return { kind: 'whole', sizeBytes, pieces: [above, ...content.pieces] };
  return { kind: 'stream', sizeBytes, exact: content.exact, open: () => preceded(above, content.open()) };
}

async function* preceded(above: Buffer, rest: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield above;
  yield* rest;
}
