/** Reads of content what must be seen of it before it goes out: its structure, or a range. */
import type { ByteRange, ContentRef } from '../model/content.ts';
import { parseTree } from '../protocol/mime/tree.ts';
import { createTreeBuilder } from '../protocol/mime/tree-builder.ts';
import type { MimeTree } from '../protocol/mime/words.ts';

export async function treeOf(content: ContentRef): Promise<MimeTree> {
  if (content.bytes) return parseTree(content.bytes);
  const builder = createTreeBuilder();
  for await (const chunk of content.open() as AsyncIterable<Uint8Array>) builder.push(chunk);
  return builder.end();
}

/** The caller bounds it. */
export async function rangeOf(content: ContentRef, range: ByteRange): Promise<Uint8Array> {
  if (content.bytes) return content.bytes.subarray(range.start, range.end);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.open(range) as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
