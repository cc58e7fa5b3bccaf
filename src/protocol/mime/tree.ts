/** The MIME tree of a message that is in memory. */
import { createTreeBuilder } from './tree-builder.ts';
import type { MimeTree } from './types.ts';

export function parseTree(bytes: Uint8Array): MimeTree {
  const builder = createTreeBuilder();
  builder.push(bytes);
  return builder.end();
}
