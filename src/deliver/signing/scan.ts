/** The outgoing message for a signer: its header first, and the hash of its body once a key needs it. */
import { relaxedBodyHash } from '../../protocol/dkim/canonical.ts';
import { type SignedHeader, signedHeader } from '../../protocol/dkim/fields.ts';
import { createHeaderEnd } from '../../protocol/mime/header-end.ts';
import type { OutgoingContent } from '../../wire/client/types.ts';

export interface Scanned {
  readonly header: SignedHeader;
  readonly bodyHash: string;
}

/** Undefined: readers would interpret it differently, so no signature is possible. */
export async function scanHeader(content: OutgoingContent): Promise<SignedHeader | undefined> {
  if (content.kind === 'whole') return signedHeader(joined(content.pieces));
  const header = createHeaderEnd();
  const pieces: Buffer[] = [];
  for await (const chunk of content.open()) {
    pieces.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const end = header.push(chunk);
    if (typeof end === 'string') return undefined;
    if (end !== undefined) break;
  }
  return signedHeader(joined(pieces));
}

export async function scanBody(content: OutgoingContent, { bodyStart }: SignedHeader): Promise<string> {
  const hash = relaxedBodyHash();
  if (content.kind === 'whole') {
    hash.push(joined(content.pieces).subarray(bodyStart));
    return hash.end();
  }
  let skipped = 0;
  for await (const chunk of content.open()) {
    const skip = Math.min(bodyStart - skipped, chunk.length);
    skipped += skip;
    if (skip < chunk.length) hash.push(chunk.subarray(skip));
  }
  return hash.end();
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Puts lines on top of it. */
export function withPrefix(content: OutgoingContent, prefix: string): OutgoingContent {
  const above = Buffer.from(prefix, 'latin1');
  const sizeBytes = content.sizeBytes + above.length;
  if (content.kind === 'whole') return { ...content, sizeBytes, pieces: [above, ...content.pieces] };
  return { kind: 'stream', sizeBytes, exact: content.exact, open: () => preceded(above, content.open()) };
}

async function* preceded(above: Buffer, rest: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield above;
  yield* rest;
}
