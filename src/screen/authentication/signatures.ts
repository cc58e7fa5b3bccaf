/**
 * DKIM signatures (RFC 6376, 8301, 8463) and the ARC chain (RFC 8617) of one message.
 *
 * The header has been measured and the body is hashed as it streams, so a message costs no copy of
 * itself. Bounded: so many signatures from the top, each of such a length, over such a header.
 */
import type { ContentRef } from '../../model/content.ts';
import { readAuthorDomain } from '../../protocol/mime/author-domain.ts';
import type { OriginFields } from '../../protocol/mime/words.ts';
import { isAsciiText } from '../../protocol/smtp/domain.ts';
import type { Clock } from '../../world/clock.ts';
import type { Resolver } from '../../world/resolver.ts';
import type { Asker } from './ask.ts';
import { readArc } from './chain.ts';
import { flagsOf } from './flags.ts';
import { keyCache } from './keys.ts';
import { AUTHENTICATION_LIMITS } from './limits.ts';
import { loadArc, loadDkim, type RawHeaders, type RawSignature, type Verifier } from './mailauth.ts';
import type { ArcEvidence, DkimEvidence, DkimFlag, DkimResult, DkimSignature } from './words.ts';

export interface Signed {
  readonly content: ContentRef;
  readonly head: Uint8Array;
  readonly bodyStart: number;
  readonly fields: OriginFields;
}

export interface VerifyOptions {
  readonly asker: Asker;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly minimumKeyBits: number;
}

export interface Verified {
  readonly dkim: DkimEvidence;
  readonly arc: ArcEvidence;
}

const NO_SIGNATURE: DkimEvidence = Object.freeze({ made: true, signatures: [], unread: 0 });
const NO_CHAIN: ArcEvidence = Object.freeze({ made: true, result: 'none', sealers: [] });
export const NOT_SIGNED: Verified = Object.freeze({ dkim: NO_SIGNATURE, arc: NO_CHAIN });

/** Errors: those of `ContentRef.open`. */
export async function verifySignatures(message: Signed, options: VerifyOptions): Promise<Verified> {
  const { fields, head, bodyStart, content } = message;
  if (fields.signatures === 0 && fields.arc === 0) return NOT_SIGNED;
  if (countLines(head, bodyStart) > AUTHENTICATION_LIMITS.headerLines) return beyondBounds(fields);
  const { asker, clock, minimumKeyBits } = options;
  const { DkimVerifier } = await loadDkim();
  const verifier = new DkimVerifier({
    resolver: asker.ask,
    minBitLength: minimumKeyBits,
    strict: true,
    // The signer's clock may be ahead of ours, and what it signed for a week is not over a minute early.
    curTime: new Date(clock.now() - AUTHENTICATION_LIMITS.clockSkewMs),
  });
  verifier.keyCache = await keyCache(asker, options);
  verifier.arc.keyCache = verifier.keyCache;
  const unread = boundSignatures(verifier);
  await verifier.emitHeaders(head.subarray(0, bodyStart));
  await hashBody(verifier, content, bodyStart);
  await verifier.finalChunk();
  const dkim = readDkim(verifier, unread(), fields, clock);
  if (fields.arc === 0) return { dkim, arc: NO_CHAIN };
  return { dkim, arc: await readArc(await loadArc(), verifier.arc, asker, minimumKeyBits) };
}

function beyondBounds({ signatures, arc }: OriginFields): Verified {
  const detail = `the header has more than ${AUTHENTICATION_LIMITS.headerLines} lines`;
  return {
    dkim: { ...NO_SIGNATURE, unread: signatures },
    arc: arc === 0 ? NO_CHAIN : { ...NO_CHAIN, result: 'fail', detail },
  };
}

function countLines(bytes: Uint8Array, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

/** Leaves the verifier only so many signatures; the answer says how many it was spared. */
function boundSignatures(verifier: Verifier): () => number {
  let spared = 0;
  const prepare = verifier.messageHeaders.bind(verifier);
  verifier.messageHeaders = (headers: RawHeaders): Promise<void> => {
    let kept = 0;
    headers.parsed = headers.parsed.filter(({ key, line }) => {
      const isSignature = key === 'dkim-signature';
      if (!isSignature && key !== 'arc-message-signature') return true;
      const isRead = line.length <= AUTHENTICATION_LIMITS.signatureBytes && kept < AUTHENTICATION_LIMITS.signatures;
      if (isSignature) isRead ? kept++ : spared++;
      return isSignature ? isRead : line.length <= AUTHENTICATION_LIMITS.signatureBytes;
    });
    return prepare(headers);
  };
  return () => spared;
}

async function hashBody(verifier: Verifier, content: ContentRef, start: number): Promise<void> {
  const { bytes, sizeBytes } = content;
  verifier.lastByte = 10;
  if (bytes) return hashChunk(verifier, bytes.subarray(start));
  if (start >= sizeBytes) return;
  for await (const chunk of content.open({ start, end: sizeBytes })) await hashChunk(verifier, chunk as Uint8Array);
}

/** A signature is over CRLF line ends (RFC 6376 5.3); what has others anyway is read as if it had. */
async function hashChunk(verifier: Verifier, chunk: Uint8Array): Promise<void> {
  if (chunk.length === 0) return;
  if (!hasBareLf(chunk, verifier.lastByte!)) {
    await verifier.nextChunk(chunk);
    verifier.lastByte = chunk[chunk.length - 1]!;
    return;
  }
  for (const part of verifier.ensureLinebreaks(chunk)) await verifier.nextChunk(part);
}

function hasBareLf(chunk: Uint8Array, before: number): boolean {
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1))
    if ((at === 0 ? before : chunk[at - 1]) !== 13) return true;
  return false;
}

function readDkim(verifier: Verifier, unread: number, fields: OriginFields, clock: Clock): DkimEvidence {
  const tags = verifier.signatureHeaders.filter(({ type }) => type === 'DKIM');
  const signatures = tags.map((one, index) => {
    const raw = verifier.results[index]!;
    const signedFields = String(one.parsed?.['h']?.value ?? '');
    const isLimited = one.parsed?.['l'] !== undefined;
    return readSignature(raw, flagsOf(raw, { signedFields, isLimited, timestamp: one.timestamp, fields, clock }));
  });
  return { made: true, signatures, unread };
}

function readSignature(raw: RawSignature, flags: readonly DkimFlag[]): DkimSignature {
  const { status, modulusLength } = raw;
  // What `l=` leaves unsigned may be all that a reader sees: it vouches for nothing then (RFC 6376 8.2).
  const isCut = status.result === 'pass' && flags.includes('body-added');
  const detail = isCut
    ? 'octets were added behind those that l= signs'
    : (status.comment ?? status.policy?.['dkim-rules']);
  return {
    domain: plainDomain(raw.signingDomain),
    selector: raw.selector ?? '',
    algorithm: raw.algo ?? '',
    result: isCut ? 'policy' : (status.result as DkimResult),
    ...(detail && { detail }),
    ...(modulusLength && { keyBits: modulusLength }),
    flags,
    ...(raw.signature && { b: raw.signature.slice(0, 8) }),
  };
}

/** U-labels become A-labels. A disguised name stays as it is: its key was not that of the domain it looks like. */
export function plainDomain(domain: string | undefined): string {
  const lower = (domain ?? '').toLowerCase().replace(/\.$/, '');
  if (isAsciiText(lower)) return lower;
  const read = readAuthorDomain(lower);
  return read && !read.isDisguised ? read.domain : lower;
}
