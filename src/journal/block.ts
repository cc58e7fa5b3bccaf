/** Blocks: JSON lines compressed together. JSON has no raw line ends, so a line's number finds it again. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BLOCK_BYTES, BLOCK_LINES, DIALOGUE_BYTES } from './limits.ts';

/** The fastest level: half a microsecond a message more would buy a few per cent. */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** A block that unpacks to more was not written here: full blocks, and one line beyond with all its escapes. */
const UNPACKED_BYTES = 16 * (BLOCK_BYTES + DIALOGUE_BYTES);

export interface OpenBlock {
  readonly n: number;
  readonly lines: Uint8Array[];
  bytes: number;
}

/** `line`: with its end. Returns its number. */
export function addLine(block: OpenBlock, line: Uint8Array): number {
  block.bytes += line.length;
  return block.lines.push(line) - 1;
}

export function isFull(block: OpenBlock): boolean {
  return block.lines.length >= BLOCK_LINES || block.bytes >= BLOCK_BYTES;
}

export function packBlock(block: OpenBlock): Uint8Array {
  return zstdCompressSync(Buffer.concat(block.lines, block.bytes), OPTIONS);
}

/** The JSON value of one line; undefined where the block has no such line. */
export function readLine(data: Uint8Array, line: number): unknown {
  const text = readLines(data)[line];
  return text ? JSON.parse(text) : undefined;
}

/** The lines of a block, for who reads many of them. */
export function readLines(data: Uint8Array): readonly string[] {
  return zstdDecompressSync(data, { maxOutputLength: UNPACKED_BYTES }).toString('utf8').split('\n');
}
