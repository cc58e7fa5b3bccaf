/**
 * Reads the parts of content that are needed before it is sent: its structure, the changes to 7-bit, or a range.
 * Large content is read piece by piece, and other work has its turn in between.
 */
import type { ByteRange, ContentRef } from '../model/content.ts';
import { createSevenBitConverter } from '../protocol/mime/seven-bit.ts';
import { createTreeBuilder } from '../protocol/mime/tree-builder.ts';
import type { MimeTree, SevenBit } from '../protocol/mime/types.ts';
import { type LoopStep, loopStep } from '../world/loop-watch.ts';
import { DELIVERY_LIMITS } from './limits.ts';

/** `about`: the message, for a report if it holds the event loop. */
export async function treeOf(content: ContentRef, about: string): Promise<MimeTree> {
  const builder = createTreeBuilder();
  for await (const piece of piecesOf(content)) loopStep('mime-structure', about, () => builder.push(piece));
  return builder.end();
}

export async function sevenBitOf(content: ContentRef, about: string): Promise<SevenBit> {
  const converter = createSevenBitConverter();
  for await (const piece of piecesOf(content)) loopStep('mime-structure', about, () => converter.push(piece));
  return converter.end();
}

/** Its bytes after `change`, some of them joined. */
export async function* changed(
  content: ContentRef,
  step: LoopStep,
  about: string,
  change: { push(chunk: Uint8Array): Uint8Array[]; end(): Uint8Array[] },
): AsyncIterable<Buffer> {
  for await (const piece of piecesOf(content)) {
    // Many short pieces would be as many packets to the peer.
    const together = loopStep(step, about, () => Buffer.concat(change.push(piece)));
    if (together.length > 0) yield together;
  }
  yield Buffer.concat(change.end());
}

async function* piecesOf(content: ContentRef): AsyncIterable<Uint8Array> {
  const { pieceBytes } = DELIVERY_LIMITS;
  const chunks = content.bytes ? [content.bytes] : (content.open() as AsyncIterable<Uint8Array>);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      yield chunk.length <= pieceBytes ? chunk : chunk.subarray(at, at + pieceBytes);
    }
  }
}

/** The caller bounds it. */
export async function rangeOf(content: ContentRef, range: ByteRange): Promise<Uint8Array> {
  if (content.bytes) return content.bytes.subarray(range.start, range.end);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.open(range) as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
