/**
 * Key records as a verifier reads them (RFC 6376 3.6.1, RFC 8463 4): a TXT record to a public key in numbers, with
 * the restrictions of its owner.
 *
 * Sizes are known before any arithmetic is done with the key, since an RSA operation costs the square of the modulus
 * times the length of the exponent. Linear; never throws.
 */
import { readRsaKey } from './rsa-key.ts';
import { readNames, readTags } from './tags.ts';

/** Big-endian, without leading zeros. */
export type KeyNumbers =
  | { readonly type: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  | { readonly type: 'ed25519'; readonly point: Uint8Array };

export interface KeyRecord {
  readonly numbers: KeyNumbers;
  /** `h=`: the only hashes that the key may be used with. */
  readonly hashes?: readonly string[];
  /** `t=s`: not for identities of subdomains. */
  readonly isStrict: boolean;
  /** `t=y`. */
  readonly isTesting: boolean;
}

/** As codes of the verification's result. */
export type KeyFlaw =
  | 'invalid public key'
  | 'unknown key version'
  | 'unknown key type'
  | 'key not for email'
  | 'key larger than is verified';

/** Public keys with more bits or longer exponents are made to be expensive: signers use at most 4096 and 65537. */
export const RSA_LIMITS = { bits: 4096, exponentBits: 32 } as const;

export function readKey(record: string): KeyRecord | KeyFlaw {
  const { tags, first, isMalformed } = readTags(record.replace(/\s+/g, ''));
  const key = tags.get('p');
  const version = tags.get('v');
  // An empty p= is a revoked key.
  if (isMalformed || key === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return 'invalid public key';
  if (version !== undefined && (version !== 'DKIM1' || first !== 'v')) return 'unknown key version';
  const services = tags.get('s');
  if (services !== undefined && !readNames(services).some((name) => name === 'email' || name === '*'))
    return 'key not for email';
  const numbers = numbersOf((tags.get('k') ?? 'rsa').toLowerCase(), Buffer.from(key, 'base64'));
  if (typeof numbers === 'string') return numbers;
  const flags = readNames(tags.get('t'));
  return {
    numbers,
    ...(tags.has('h') && { hashes: readNames(tags.get('h')) }),
    isStrict: flags.includes('s'),
    isTesting: flags.includes('y'),
  };
}

function numbersOf(type: string, bytes: Uint8Array): KeyNumbers | KeyFlaw {
  if (type === 'ed25519') return bytes.length === 32 ? { type, point: bytes } : 'invalid public key';
  if (type !== 'rsa') return 'unknown key type';
  const key = readRsaKey(bytes);
  if (typeof key === 'string') return key === 'other' ? 'unknown key type' : 'invalid public key';
  const { modulus, exponent } = key;
  if (bitsOf(modulus) > RSA_LIMITS.bits || bitsOf(exponent) > RSA_LIMITS.exponentBits)
    return 'key larger than is verified';
  return { type: 'rsa', modulus, exponent };
}

/** Of a number without leading zeros. */
export function bitsOf(number: Uint8Array): number {
  return number.length === 0 ? 0 : number.length * 8 - (Math.clz32(number[0]!) - 24);
}
