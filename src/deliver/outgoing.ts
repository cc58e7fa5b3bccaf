/**
 * Adapts a claim's content to one peer: trace and header edits on top, 8-bit and international content converted if
 * the peer cannot take it, or the reason why it cannot be sent, such as its size. A report of ours is shortened
 * before it fails (reduced-report.ts).
 */
import type { ReversePath } from '../model/address.ts';
import type { BodyType } from '../model/envelope.ts';
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import { MIME_LIMITS } from '../protocol/mime/limits.ts';
import { createRewriter } from '../protocol/mime/rewrite.ts';
import type { MimePart, Segment, SevenBitObstacle } from '../protocol/mime/types.ts';
import { isAsciiText } from '../protocol/smtp/domain.ts';
import type { PeerExtensions } from '../protocol/smtp/ehlo-reply.ts';
import type { Claim } from '../queue/contract.ts';
import type { OutgoingContent } from '../wire/client/types.ts';
import { loopStep } from '../world/loop-watch.ts';
import { changesFields, linesAbove, withEdits } from './edits.ts';
import { changed, rangeOf, sevenBitOf, treeOf } from './reading.ts';
import { LESS, mayBeReduced, reduced } from './reduced-report.ts';
import type { Signing } from './signing/types.ts';
import { spliced } from './splices.ts';

export type Fitted =
  | {
      readonly kind: 'ready';
      readonly content: OutgoingContent;
      readonly body: BodyType;
      readonly smtputf8: boolean;
      /** If it differs from the message's: rewritten for forwarding. */
      readonly reversePath?: ReversePath;
    }
  | { readonly kind: 'unfit'; readonly status: string; readonly reason: string };

export function fit(claim: Claim, extensions: PeerExtensions): MaybePromise<Fitted> {
  const { message } = claim;
  const isEightBit = message.body === '8BITMIME' && !extensions.eightBitMime;
  const isBinary = message.body === 'BINARYMIME' && !(extensions.binaryMime && extensions.chunking);
  const isInternational = message.smtputf8 && !extensions.smtputf8;
  const above = Buffer.from(linesAbove(claim.trace, claim.edits));
  if (isEightBit || isBinary || isInternational || changesFields(claim.edits))
    return rewrite(claim, above, { toSevenBit: isEightBit || isBinary, toAsciiHeaders: isInternational });
  return { kind: 'ready', content: asStored(claim, above), body: message.body, smtputf8: message.smtputf8 };
}

/**
 * The same, signed: nothing may change it after this. Of our own reports as much as the peer can take; `shortened`:
 * by at least so many steps.
 */
export function fitAndSign(
  claim: Claim,
  extensions: PeerExtensions,
  signing: Signing | undefined,
  shortened = 0,
): MaybePromise<Fitted> {
  if (claim.splices?.length)
    return spliced(claim).then((variant) => fitVariant(variant, extensions, signing, shortened));
  return fitVariant(claim, extensions, signing, shortened);
}

function fitVariant(
  claim: Claim,
  extensions: PeerExtensions,
  signing: Signing | undefined,
  shortened: number,
): MaybePromise<Fitted> {
  if (shortened > 0) return lessOf(claim, extensions, signing, TOO_LARGE, LESS.slice(shortened - 1));
  const fitted = whole(claim, extensions, signing);
  if (!mayBeReduced(claim)) return fitted;
  return andThen(fitted, (asItIs) =>
    asItIs.kind === 'ready' ? asItIs : lessOf(claim, extensions, signing, asItIs, LESS),
  );
}

const TOO_LARGE = unfit('5.3.4', 'the next host finds it too large');

function whole(claim: Claim, extensions: PeerExtensions, signing: Signing | undefined): MaybePromise<Fitted> {
  const fitted = fit(claim, extensions);
  if (!signing?.concerns(claim))
    return isPromise(fitted) ? fitted.then((ready) => sized(ready, extensions)) : sized(fitted, extensions);
  return andThen(fitted, (ready) =>
    ready.kind === 'unfit'
      ? ready
      : andThen(signing.prepare(claim, ready.content, ready.body), (outgoing) =>
          sized({ ...ready, ...outgoing }, extensions),
        ),
  );
}

/** A message larger than the peer's limit is not offered. */
function sized(ready: Fitted, { size }: PeerExtensions): Fitted {
  const limitBytes = size?.limitBytes;
  if (limitBytes === undefined || ready.kind === 'unfit' || ready.content.sizeBytes <= limitBytes) return ready;
  return unfit('5.3.4', `the next host takes messages up to ${limitBytes} bytes`);
}

async function lessOf(
  claim: Claim,
  extensions: PeerExtensions,
  signing: Signing | undefined,
  asItIs: Fitted,
  steps: typeof LESS,
): Promise<Fitted> {
  for (const left of steps) {
    const less = await reduced(claim, left);
    const fitted = less && (await whole(less, extensions, signing));
    if (fitted?.kind === 'ready') return fitted;
  }
  return asItIs;
}

/** Only the lines above differ from the stored message. */
function asStored({ content, message, splices }: Claim, above: Buffer): OutgoingContent {
  const sizeBytes = above.length + content.sizeBytes;
  const inMemory = content.bytes ? [content.bytes] : content.pieces;
  if (inMemory) {
    const stored = inMemory.map(asBuffer);
    // Content received in a session passed the guard of newlines, except BINARYMIME, which has no lines (RFC 3030 3).
    // Spliced bytes did not pass it.
    const isGuarded = message.clientAddress !== undefined && message.body !== 'BINARYMIME' && !splices?.length;
    return { kind: 'whole', sizeBytes, pieces: [above, ...stored], guarded: isGuarded ? stored : undefined };
  }
  return { kind: 'stream', sizeBytes, exact: true, open: () => following(above, content.open()) };
}

async function* following(above: Buffer, rest: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield above;
  yield* rest;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Wanted {
  readonly toSevenBit: boolean;
  readonly toAsciiHeaders: boolean;
}

async function rewrite(claim: Claim, above: Buffer, wanted: Wanted): Promise<Fitted> {
  const { content, edits, message } = claim;
  let segments: readonly Segment[] = [{ kind: 'original', start: 0, end: content.sizeBytes }];
  let { body } = message;
  if (wanted.toSevenBit || wanted.toAsciiHeaders) {
    if (
      wanted.toAsciiHeaders &&
      (hasInternationalHeader((await treeOf(content, message.id)).root) || !isAsciiText(above.toString('latin1')))
    )
      return unfit('5.6.9', 'the header is international (RFC 6532) and the next host does not offer SMTPUTF8');
    if (wanted.toSevenBit) {
      const converted = await sevenBitOf(content, message.id);
      if (converted.kind === 'cannot') return unfit('5.6.3', OBSTACLES[converted.reason]);
      if (converted.kind === 'converted') segments = converted.segments;
      body = '7BIT';
    }
  }
  if (changesFields(edits)) {
    // As much of the message as a header may have.
    const header = await rangeOf(content, { start: 0, end: Math.min(content.sizeBytes, MIME_LIMITS.headerBytes) });
    const before = segments;
    segments = loopStep('header-edits', message.id, () => withEdits(before, header, edits));
  }
  return {
    kind: 'ready',
    content: await written(claim, above, segments),
    body,
    smtputf8: wanted.toAsciiHeaders ? false : message.smtputf8,
  };
}

function unfit(status: string, reason: string): Fitted {
  return { kind: 'unfit', status, reason };
}

const OBSTACLES: Readonly<Record<SevenBitObstacle, string>> = {
  'header-8bit': 'the header has 8-bit octets, and the next host takes only 7-bit mail',
  protected: 'a signed or encrypted part has 8-bit octets, and the next host takes only 7-bit mail',
  'not-encodable': 'a part that may not be encoded has 8-bit octets, and the next host takes only 7-bit mail',
  malformed: 'the message is malformed and has 8-bit octets, and the next host takes only 7-bit mail',
};

function hasInternationalHeader(part: MimePart): boolean {
  return part.header.has8bit || part.children.some(hasInternationalHeader);
}

async function written(
  { content, message }: Claim,
  above: Buffer,
  segments: readonly Segment[],
): Promise<OutgoingContent> {
  if (content.bytes) {
    const pieces = [above];
    for await (const piece of changed(content, 'convert', message.id, createRewriter(segments))) pieces.push(piece);
    return { kind: 'whole', sizeBytes: pieces.reduce((sum, { length }) => sum + length, 0), pieces };
  }
  let sizeBytes = above.length;
  let exact = true;
  for (const segment of segments) {
    if (segment.kind === 'bytes') sizeBytes += segment.bytes.length;
    else if (segment.kind === 'original') sizeBytes += segment.end - segment.start;
    else {
      // Base64 with its line ends; quoted-printable is rarely longer.
      sizeBytes += Math.ceil((segment.end - segment.start) * 1.37);
      exact = false;
    }
  }
  return { kind: 'stream', sizeBytes, exact, open: () => rewritten({ content, message }, above, segments) };
}

async function* rewritten(
  { content, message }: Pick<Claim, 'content' | 'message'>,
  above: Buffer,
  segments: readonly Segment[],
): AsyncIterable<Uint8Array> {
  yield above;
  yield* changed(content, 'convert', message.id, createRewriter(segments));
}
