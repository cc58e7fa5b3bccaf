/**
 * A claim whose variant has another body: its content with the splices in it, so that all later steps (conversion,
 * header edits, size, signatures) see the outgoing bytes.
 *
 * The original is never rewritten. A small body is assembled in memory; the rest streams, original and inserted bytes
 * in turn. Splices that overlap, are out of order or exceed the content are refused with `content.splices`.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange, ContentRef, Splice } from '../model/content.ts';
import type { BodyType } from '../model/envelope.ts';
import type { Claim } from '../queue/contract.ts';
import { checkSplices } from '../queue/model/splices.ts';
import { memoryContent } from '../store/blobs/memory-content.ts';
import { DELIVERY_LIMITS } from './limits.ts';

/** RFC 6152 3, RFC 3030 3: the copy requires the strictest extension that one of its pieces requires. */
export async function spliced(claim: Claim): Promise<Claim> {
  const { message, splices = [] } = claim;
  const body = splices.reduce((most, splice) => moreOf(most, splice.body), message.body);
  return { ...claim, message: { ...message, body }, content: splicedContent(claim.content, splices) };
}

const BODIES: readonly BodyType[] = ['7BIT', '8BITMIME', 'BINARYMIME'];

function moreOf(a: BodyType, b: BodyType): BodyType {
  return BODIES.indexOf(a) < BODIES.indexOf(b) ? b : a;
}

/** A range of the original, or of inserted bytes. */
interface Stretch extends ByteRange {
  readonly from: ContentRef;
}

export function splicedContent(original: ContentRef, splices: readonly Splice[]): ContentRef {
  const stretches = stretchesOf(original, splices);
  const sizeBytes = stretches.reduce((sum, { start, end }) => sum + end - start, 0);
  if (sizeBytes <= DELIVERY_LIMITS.splicedInMemoryBytes && stretches.every(({ from }) => from.bytes))
    return memoryContent(Buffer.concat(stretches.map(({ from, start, end }) => from.bytes!.subarray(start, end))));
  return {
    sizeBytes,
    get sha256() {
      return nameOf(original, splices);
    },
    open: (range) =>
      Readable.from(range ? reading(stretches, range) : readingAll(original, splices), { objectMode: false }),
  };
}

/** The bytes are not read yet: this is the hash of their parts, which also differs between variants. */
function nameOf(original: ContentRef, splices: readonly Splice[]): string {
  const sum = createHash('sha256').update(original.sha256);
  for (const { offset, length, with: inserted } of splices) sum.update(` ${offset} ${length} ${inserted.sha256}`);
  return sum.digest('hex');
}

function stretchesOf(original: ContentRef, splices: readonly Splice[]): readonly Stretch[] {
  checkSplices(original.sizeBytes, splices);
  const stretches: Stretch[] = [];
  let at = 0;
  const add = (from: ContentRef, start: number, end: number): void => {
    if (end > start) stretches.push({ from, start, end });
  };
  for (const { offset, length, with: inserted } of splices) {
    add(original, at, offset);
    add(inserted, 0, inserted.sizeBytes);
    at = offset + length;
  }
  add(original, at, original.sizeBytes);
  return stretches;
}

/**
 * The original is read to its end, even where it is left out, since only then its integrity is verified; its last
 * bytes are read before anything after them is yielded.
 */
async function* readingAll(original: ContentRef, splices: readonly Splice[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  let next = 0;
  for await (const chunk of original.open() as AsyncIterable<Uint8Array>) {
    const end = at + chunk.length;
    let from = at;
    for (let splice = splices[next]; splice && splice.offset < end; splice = splices[++next]) {
      if (from < splice.offset) yield chunk.subarray(from - at, splice.offset - at);
      from = Math.min(end, splice.offset + splice.length);
      if (splice.offset + splice.length > end) break;
      yield* splice.with.open() as AsyncIterable<Uint8Array>;
    }
    if (from < end) yield chunk.subarray(from - at);
    at = end;
  }
  for (; next < splices.length; next++) yield* splices[next]!.with.open() as AsyncIterable<Uint8Array>;
}

/** Opens only the pieces in the range, one after the other. */
async function* reading(stretches: readonly Stretch[], range: ByteRange): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const { from, start, end } of stretches) {
    if (at >= range.end) return;
    const first = start + Math.max(0, range.start - at);
    const last = Math.min(end, start + range.end - at);
    at += end - start;
    if (first < last) yield* from.open({ start: first, end: last }) as AsyncIterable<Uint8Array>;
  }
}
