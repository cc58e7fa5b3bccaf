/**
 * DKIM (RFC 6376): the DNS has the record of every key that signs for the domain, as a verifier would find it. A key
 * that waits for its record is reported with the record.
 */
import { createPublicKey } from 'node:crypto';
import { checkRecord, type RecordCheck, type RecordState, recordName } from '../directory/signing-keys/check.ts';
import type { RecordSight } from '../directory/signing-keys/published.ts';
import type { DkimKeyRow } from '../directory/signing-keys/schema.ts';
import { formatKeyRecord } from '../protocol/dkim/record.ts';
import { shown } from './answers.ts';
import type { PostureContext } from './context.ts';
import { type About, cannotTell, good, type PostureResult, type Problem, problem } from './types.ts';
import { txtLine } from './zone-lines.ts';

/** The part of a key that the test needs, without the private key. */
export type TestedKey = Omit<DkimKeyRow, 'private_key' | 'created_at' | 'since'>;

/** RFC 8301 3.2: verifiers refuse shorter ones; signers should use longer ones. */
const LEAST_RSA_BITS = 1024;
const GOOD_RSA_BITS = 2048;

const SIGNATURES_FAIL = 'Verifiers cannot check the signatures of this key, and DMARC loses what it stands on.';

const DKIM = {
  noKey: {
    code: 'no-key',
    severity: 'important',
    why: 'Mail of the domain leaves unsigned: it fails DMARC wherever it is forwarded, and large receivers refuse it. Make a key: postern dkim create --domain <domain>.',
  },
  waiting: {
    code: 'waiting',
    severity: 'important',
    why: 'The key signs nothing until its record is published.',
  },
  missing: { code: 'missing', severity: 'critical', why: SIGNATURES_FAIL },
  several: {
    code: 'several',
    severity: 'critical',
    why: `With several records at one name the outcome is anybody's guess (RFC 6376 3.6.2.2). Keep this one.`,
  },
  'other-key': { code: 'other-key', severity: 'critical', why: SIGNATURES_FAIL },
  revoked: {
    code: 'revoked',
    severity: 'critical',
    why: `An empty p= withdraws the key (RFC 6376 3.6.1). ${SIGNATURES_FAIL}`,
  },
  restricted: {
    code: 'restricted',
    severity: 'critical',
    why: `The tags h=, s= or k= of the record forbid what the key is used for. ${SIGNATURES_FAIL}`,
  },
  testing: {
    code: 'testing',
    severity: 'important',
    why: 't=y tells receivers to treat signed mail as if it were not signed (RFC 6376 3.6.1). Take it out when all works.',
  },
  shortKey: {
    code: 'short-key',
    severity: 'critical',
    why: `Verifiers refuse RSA keys below ${LEAST_RSA_BITS} bits (RFC 8301 3.2). Make a new one: postern dkim rotate --domain <domain>.`,
  },
  modestKey: {
    code: 'modest-key',
    severity: 'advice',
    why: `RSA keys should have ${GOOD_RSA_BITS} bits (RFC 8301 3.2). Make a new one: postern dkim rotate --domain <domain>.`,
  },
} as const satisfies Record<string, Problem>;

export async function checkDkim(
  domain: string,
  keys: readonly TestedKey[],
  { resolver }: PostureContext,
  keep: (sights: readonly RecordSight[]) => Promise<void>,
): Promise<readonly PostureResult[]> {
  const used = keys.filter(({ state }) => state === 'active' || state === 'pending');
  if (used.length === 0) return [problem({ test: 'dkim', subject: domain }, DKIM.noKey, `no key signs for ${domain}`)];
  const sights = await Promise.all(used.map(async (key) => ({ key, check: await checkRecord(resolver, key) })));
  await keep(sights);
  return sights.map(({ key, check }) => judgeKey(key, check));
}

function judgeKey(key: TestedKey, { state, found }: RecordCheck): PostureResult {
  const name = recordName(key);
  const about: About = { test: 'dkim', subject: name };
  const publish = [txtLine(name, formatKeyRecord(key.algorithm, key.public_key))];
  const seen = found.length > 0 ? found.map(shown).join('  |  ') : `${name} has no TXT record`;
  if (state === 'cannot-tell') return cannotTell(about, `the DNS did not answer for ${name}: ${found.join()}`);
  if (state !== 'published') return problem(about, problemOf(state, key), seen, publish);
  const bits = rsaBits(key);
  if (bits < LEAST_RSA_BITS) return problem(about, DKIM.shortKey, `${bits} bits`);
  if (bits < GOOD_RSA_BITS) return problem(about, DKIM.modestKey, `${bits} bits`);
  return good(about, `${seen} is the record of the key`);
}

function problemOf(state: Exclude<RecordState, 'published' | 'cannot-tell'>, key: TestedKey): Problem {
  return key.state === 'pending' && state === 'missing' ? DKIM.waiting : DKIM[state];
}

/** Infinity for Ed25519, whose keys have one size. */
function rsaBits({ algorithm, public_key }: TestedKey): number {
  if (algorithm !== 'rsa-sha256') return Number.POSITIVE_INFINITY;
  const key = createPublicKey({ key: Buffer.from(public_key, 'base64'), format: 'der', type: 'spki' });
  return key.asymmetricKeyDetails?.modulusLength ?? 0;
}
