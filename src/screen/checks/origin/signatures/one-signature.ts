/**
 * One signature, from its field to a result: first what needs no key, then the key, then the header, and the body
 * only if the header verifies. So nothing is hashed for a signature without a key, and none passes that was not
 * verified completely.
 */
import type { HashedBody, WantedHash } from '../../../../protocol/dkim/body-hashes.ts';
import type { ReadSignature } from '../../../../protocol/dkim/read-signature.ts';
import { type CoverableFields, isSignedBy } from '../../../../protocol/dkim/verify.ts';
import { AUTHENTICATION_LIMITS } from '../limits.ts';
import type { DkimResult } from '../types.ts';
import type { KeyAnswer, Keys, SignersKey } from './keys.ts';

export interface SignatureResult {
  readonly result: DkimResult;
  /** Why not `pass`. */
  readonly detail?: string;
}

/** A signature under verification: with a verdict it is finished. */
export interface Attempt {
  readonly read: ReadSignature;
  verdict: SignatureResult | undefined;
  key: SignersKey | undefined;
  /** The body has more bytes than `l=` signs. */
  isBodyAdded: boolean;
}

export interface Conditions {
  /** Seconds since the epoch. */
  readonly now: number;
  readonly minimumKeyBits: number;
}

/** The cost of all signatures of one kind together (protocol/dkim/verify.ts). */
export interface Budget {
  left: number;
}

const PASS: SignatureResult = Object.freeze({ result: 'pass' });
const SKEW_SECONDS = AUTHENTICATION_LIMITS.clockSkewMs / 1000;

export function isSignedAhead({ signedAt }: ReadSignature, now: number): boolean {
  return signedAt !== undefined && signedAt > now + SKEW_SECONDS;
}

/** `kind`: ARC has its own rules for sets older than the newest, and none for clocks. */
export function begin(read: ReadSignature, kind: 'dkim' | 'arc', { now }: Conditions): Attempt {
  return { read, verdict: unasked(read, kind, now), key: undefined, isBodyAdded: false };
}

function unasked(read: ReadSignature, kind: 'dkim' | 'arc', now: number): SignatureResult | undefined {
  if (read.problem !== undefined) return { result: 'neutral', detail: read.problem };
  // RFC 8301 3.1.
  if (read.hash === 'sha1') return { result: 'policy', detail: 'weak-algorithm' };
  // RFC 6376 3.5: the signer's clock may be ahead of ours, and a signature valid for a week has not expired a minute
  // early.
  if (read.expiresAt !== undefined && read.expiresAt < now - SKEW_SECONDS)
    return { result: 'neutral', detail: 'expired' };
  if (kind === 'dkim' && isSignedAhead(read, now)) return { result: 'fail', detail: 'signed at a time to come' };
  return undefined;
}

/** Looks up the key, unless there is a verdict already. */
export async function findKey(attempt: Attempt, keys: Keys, conditions: Conditions): Promise<void> {
  if (attempt.verdict) return;
  const { read } = attempt;
  const answer = await keys(read.domain, read.selector);
  attempt.verdict = unusable(read, answer, conditions);
  if (answer.kind === 'key') attempt.key = answer.key;
}

function unusable(read: ReadSignature, answer: KeyAnswer, { minimumKeyBits }: Conditions): SignatureResult | undefined {
  if (answer.kind === 'untold') return { result: 'temperror', detail: answer.why };
  if (answer.kind === 'none')
    return { result: answer.why === 'key larger than is verified' ? 'permerror' : 'neutral', detail: answer.why };
  const { bits, hashes, numbers, isStrict } = answer.key;
  if (bits !== undefined && bits < minimumKeyBits) return { result: 'policy', detail: 'weak-key' };
  if (hashes && !hashes.includes(read.hash)) return { result: 'neutral', detail: 'inappropriate hash algorithm' };
  // RFC 6376 6.1.2, step 8.
  if (numbers.type !== read.keyType) return { result: 'neutral', detail: 'inappropriate key algorithm' };
  return isStrict && read.isForSubdomain ? { result: 'neutral', detail: 'domain mismatch' } : undefined;
}

/** RFC 6376 6.1: a verifier may stop anywhere; a signature that it left out does not pass. */
export function verifyHeader(attempt: Attempt, fields: CoverableFields, budget: Budget): void {
  const { read, verdict, key } = attempt;
  if (verdict || !key) return;
  if (key.price > budget.left) {
    attempt.verdict = { result: 'policy', detail: 'more public-key work than is done for one message' };
    return;
  }
  budget.left -= key.price;
  if (!isSignedBy([Buffer.from(fields.covered(read), 'latin1')], read, key.object))
    attempt.verdict = { result: 'fail', detail: 'bad signature' };
}

/** The hashes that attempts without a verdict need: at most one a canonicalisation. */
export function wantedHashes(attempts: readonly Attempt[]): readonly WantedHash[] {
  const most = new Map<WantedHash['how'], number>();
  for (const { verdict, read } of attempts) {
    if (verdict) continue;
    most.set(read.body, Math.max(most.get(read.body) ?? 0, read.bodyLength ?? Number.POSITIVE_INFINITY));
  }
  return [...most].map(([how, least]) => ({ how, ...(Number.isFinite(least) && { most: least }) }));
}

export function compareBody(attempt: Attempt, bodies: readonly HashedBody[]): void {
  const { read, verdict } = attempt;
  if (verdict) return;
  const body = bodies.find(({ how }) => how === read.body)!;
  const signed = read.bodyLength ?? body.length;
  if (signed > body.length) attempt.verdict = { result: 'fail', detail: 'l= is longer than the body' };
  else if (signed < body.length) {
    // The bytes not covered by `l=` may be all that a reader sees: then the signature proves nothing (RFC 6376 8.2).
    attempt.isBodyAdded = true;
    attempt.verdict = { result: 'policy', detail: 'bytes were added after those that l= signs' };
  } else attempt.verdict = body.hash === read.bodyHash ? PASS : { result: 'fail', detail: 'body hash did not verify' };
}
