/**
 * DKIM signatures (RFC 6376, 8301, 8463) and the ARC chain (RFC 8617) of one message.
 *
 * Keys are looked up first, headers verified next, and the body is hashed at most once a canonicalisation, as it
 * streams, and only if a signature depends on it. Bounded: the number of signatures, those of the author's domain
 * first, their length, the length of the header, and the cost of public-key work. Anything left out is reported and
 * never passes.
 */
import type { ContentRef } from '../../../../model/content.ts';
import type { RawField } from '../../../../protocol/dkim/fields.ts';
import { type ReadSignature, readSignature } from '../../../../protocol/dkim/read-signature.ts';
import { coverableFields } from '../../../../protocol/dkim/verify.ts';
import { readAuthorDomain } from '../../../../protocol/mime/author-domain.ts';
import { scanFields } from '../../../../protocol/mime/fields.ts';
import { binaryString } from '../../../../protocol/mime/text.ts';
import type { OriginFields } from '../../../../protocol/mime/types.ts';
import { isAsciiText } from '../../../../protocol/smtp/domain.ts';
import type { Clock } from '../../../../world/clock.ts';
import type { Resolver } from '../../../../world/resolver.ts';
import type { Asker } from '../ask.ts';
import { AUTHENTICATION_LIMITS } from '../limits.ts';
import type { ArcEvidence, DkimEvidence, DkimSignature } from '../types.ts';
import { openChain, readArc } from './arc-chain.ts';
import { hashBody } from './body-hashing.ts';
import { flagsOf } from './flags.ts';
import { signersKeys } from './keys.ts';
import {
  type Attempt,
  begin,
  type Conditions,
  compareBody,
  findKey,
  isSignedAhead,
  verifyHeader,
  wantedHashes,
} from './one-signature.ts';

export interface Signed {
  readonly content: ContentRef;
  readonly head: Uint8Array;
  readonly bodyStart: number;
  readonly fields: OriginFields;
  /** The domains in From: their signatures go first. */
  readonly authors?: readonly string[];
}

export interface VerifyOptions {
  readonly asker: Asker;
  readonly resolver: Resolver;
  readonly clock: Clock;
  /** The verification is no longer needed. */
  readonly signal?: AbortSignal;
  readonly minimumKeyBits: number;
}

export interface Verified {
  readonly dkim: DkimEvidence;
  readonly arc: ArcEvidence;
}

const NO_SIGNATURE: DkimEvidence = Object.freeze({ made: true, signatures: [], unread: 0 });
const NO_CHAIN: ArcEvidence = Object.freeze({ made: true, result: 'none', sealers: [] });
export const NOT_SIGNED: Verified = Object.freeze({ dkim: NO_SIGNATURE, arc: NO_CHAIN });

/** Errors: those of `ContentRef.open`; the signal's reason while a body is hashed. */
export async function verifySignatures(message: Signed, options: VerifyOptions): Promise<Verified> {
  const { fields: origin, head, bodyStart, content, authors = [] } = message;
  if (origin.signatures === 0 && origin.arc === 0) return NOT_SIGNED;
  if (countLines(head, bodyStart) > AUTHENTICATION_LIMITS.headerLines) return beyondBounds(origin);
  const { asker, clock, minimumKeyBits, signal } = options;
  const conditions: Conditions = { now: Math.floor(clock.now() / 1000), minimumKeyBits };
  const keys = signersKeys(asker, options);
  const fields = fieldsOf(head, bodyStart);
  const { chosen, unread } = chooseSignatures(fields, authors);
  const attempts = chosen.map((read) => begin(read, 'dkim', conditions));
  const sets = origin.arc === 0 ? undefined : await openChain(fields);
  const newest = sets?.newest && begin(sets.newest, 'arc', conditions);
  const all = newest ? [...attempts, newest] : attempts;

  await Promise.all(all.map((attempt) => findKey(attempt, keys, conditions)));
  const coverable = coverableFields(fields);
  const budget = { left: AUTHENTICATION_LIMITS.signaturePrice as number };
  for (const attempt of alignedFirst(attempts, authors)) verifyHeader(attempt, coverable, budget);
  const arcBudget = { left: AUTHENTICATION_LIMITS.arcPrice as number };
  if (newest) verifyHeader(newest, coverable, arcBudget);
  const wanted = wantedHashes(all);
  if (wanted.length > 0) {
    const bodies = await hashBody(content, bodyStart, wanted, clock, signal);
    for (const attempt of all) compareBody(attempt, bodies);
  }

  const signatures = attempts.map((attempt) => asEvidence(attempt, origin, conditions));
  const dkim: DkimEvidence = { made: true, signatures, unread };
  if (!sets) return { dkim, arc: NO_CHAIN };
  return { dkim, arc: await readArc(sets, newest?.verdict, { keys, minimumKeyBits, budget: arcBudget }) };
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

/**
 * The fields with CRLF line ends. A line that is no field belongs to the one above it: readers differ, and so it can
 * only break a signature.
 */
function fieldsOf(head: Uint8Array, bodyStart: number): readonly RawField[] {
  const { fields } = scanFields(head, 0, bodyStart);
  return fields.map(({ name, start }, index) => ({
    name,
    raw: binaryString(head, start, fields[index + 1]?.start ?? bodyStart)
      .replace(/\r?\n/g, '\r\n')
      .replace(/(?:\r\n){1,2}$/, ''),
  }));
}

/** In the order of the header; if there are too many, those of the author go before others. */
function chooseSignatures(fields: readonly RawField[], authors: readonly string[]) {
  const written = fields.filter(({ name }) => name === 'dkim-signature');
  const readable = written
    .filter(({ raw }) => raw.length <= AUTHENTICATION_LIMITS.signatureBytes)
    .map(({ raw }) => readSignature(raw, 'dkim'));
  const first = readable.length > AUTHENTICATION_LIMITS.signatures ? alignedFirst(asRead(readable), authors) : [];
  const kept = new Set(first.slice(0, AUTHENTICATION_LIMITS.signatures).map(({ read }) => read));
  const chosen = kept.size > 0 ? readable.filter((read) => kept.has(read)) : readable;
  return { chosen, unread: written.length - chosen.length };
}

function asRead(signatures: readonly ReadSignature[]): readonly { readonly read: ReadSignature }[] {
  return signatures.map((read) => ({ read }));
}

/** Of the same domain, or of one above or below it: DMARC decides which of them is aligned. */
function alignedFirst<T extends { readonly read: ReadSignature }>(
  signatures: readonly T[],
  authors: readonly string[],
): readonly T[] {
  const isAligned = ({ read }: T): boolean => {
    const signer = plainDomain(read.domain);
    return authors.some((one) => one === signer || one.endsWith(`.${signer}`) || signer.endsWith(`.${one}`));
  };
  const aligned = signatures.filter(isAligned);
  return aligned.length === 0 ? signatures : [...aligned, ...signatures.filter((one) => !isAligned(one))];
}

function asEvidence(attempt: Attempt, fields: OriginFields, { now }: Conditions): DkimSignature {
  const { read, verdict, key, isBodyAdded } = attempt;
  const { result, detail } = verdict!;
  const flags = flagsOf(read, {
    fields,
    isTesting: key?.isTesting ?? false,
    isSignedAhead: isSignedAhead(read, now),
    isBodyAdded,
  });
  return {
    domain: plainDomain(read.domain),
    selector: read.selector,
    algorithm: read.algorithm,
    result,
    ...(detail !== undefined && { detail }),
    ...(key?.bits !== undefined && { keyBits: key.bits }),
    flags,
    ...(read.signature !== '' && { b: read.signature.slice(0, 8) }),
  };
}

/** U-labels become A-labels. A disguised name stays as it is: its key did not belong to the domain it resembles. */
export function plainDomain(domain: string | undefined): string {
  const lower = (domain ?? '').toLowerCase().replace(/\.$/, '');
  if (isAsciiText(lower)) return lower;
  const read = readAuthorDomain(lower);
  return read && !read.isDisguised ? read.domain : lower;
}
