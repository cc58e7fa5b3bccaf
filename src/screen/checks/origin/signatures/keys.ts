/**
 * Public keys of signers, looked up before anything is hashed or verified. Parsed once: a few keys make most
 * signatures. Cached as long as the record's TTL, at most some minutes; failures are not cached.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { asciiDomain } from '../../../../protocol/dkim/domain.ts';
import { bitsOf, type KeyFlaw, type KeyNumbers, type KeyRecord, readKey } from '../../../../protocol/dkim/read-key.ts';
import { priceOf } from '../../../../protocol/dkim/verify.ts';
import type { Clock } from '../../../../world/clock.ts';
import type { Resolver } from '../../../../world/resolver.ts';
import type { Asker } from '../ask.ts';
import { keptPerResolver } from '../kept.ts';

export interface SignersKey extends KeyRecord {
  readonly object: KeyObject;
  /** Of an RSA key. */
  readonly bits?: number;
  /** What one verification costs (protocol/dkim/verify.ts). */
  readonly price: number;
}

export type KeyAnswer =
  | { readonly kind: 'key'; readonly key: SignersKey }
  | { readonly kind: 'none'; readonly why: KeyFlaw | 'no key' }
  /** Name servers do not answer. */
  | { readonly kind: 'untold'; readonly why: string };

/** The keys of one message: each is looked up once. Never rejects for answers of name servers. */
export type Keys = (domain: string, selector: string) => Promise<KeyAnswer>;

const keptKeys = keptPerResolver<SignersKey>();

export function signersKeys(asker: Asker, { resolver, clock }: { resolver: Resolver; clock: Clock }): Keys {
  const kept = keptKeys(resolver);
  const underWay = new Map<string, Promise<KeyAnswer>>();
  return (domain, selector) => {
    const name = asciiDomain(`${selector}._domainkey.${domain}`).toLowerCase();
    const known = kept.get(name, clock);
    if (known) return Promise.resolve({ kind: 'key', key: known });
    let lookup = underWay.get(name);
    if (!lookup) {
      const { ask, seconds } = asker.watched();
      lookup = lookUp(ask, name).then((answer) => {
        if (answer.kind === 'key') kept.put(name, answer.key, seconds(), clock);
        return answer;
      });
      underWay.set(name, lookup);
    }
    return lookup;
  };
}

async function lookUp(ask: Asker['ask'], name: string): Promise<KeyAnswer> {
  let records: readonly unknown[];
  try {
    records = await ask(name, 'TXT');
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    if (code === 'ENOTFOUND' || code === 'ENODATA') return { kind: 'none', why: 'no key' };
    return { kind: 'untold', why: `DNS failure: ${code ?? message}` };
  }
  // RFC 6376 3.6.2.2: with several records it is undefined which one counts.
  const [strings] = records as readonly (readonly string[])[];
  if (!strings) return { kind: 'none', why: 'no key' };
  const record = readKey(strings.join(''));
  return typeof record === 'string' ? { kind: 'none', why: record } : usable(record);
}

function usable(record: KeyRecord): KeyAnswer {
  const { numbers } = record;
  let object: KeyObject;
  try {
    object = createPublicKey({ key: asJwk(numbers), format: 'jwk' });
  } catch {
    return { kind: 'none', why: 'invalid public key' };
  }
  const bits = numbers.type === 'rsa' ? { bits: bitsOf(numbers.modulus) } : undefined;
  return { kind: 'key', key: { ...record, ...bits, object, price: priceOf(numbers) } };
}

/** The form that is parsed fastest, and the only one whose sizes only our own code reads. */
function asJwk(numbers: KeyNumbers) {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  return numbers.type === 'rsa'
    ? { kty: 'RSA', n: text(numbers.modulus), e: text(numbers.exponent) }
    : { kty: 'OKP', crv: 'Ed25519', x: text(numbers.point) };
}
