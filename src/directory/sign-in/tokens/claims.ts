/** The content of a token before verification. Pure; nothing here verifies. */
import type { JWTPayload } from 'jose';
import { type Address, addressKey } from '../../../model/address.ts';
import { parseAddress } from '../../../protocol/smtp/address.ts';
import { SHOWN_CHARACTERS } from './limits.ts';

/**
 * Only signatures by a private key (RFC 8725 3.1, 3.2): `none` is no signature, and with HS256 anyone who knows the
 * public key could sign.
 */
export const ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** RFC 8725 3.11, RFC 9068 2.1: an issuer also signs other things (logout tokens, events), and marks them. */
export function isSignInType(type: unknown): boolean {
  if (type === undefined) return true;
  return typeof type === 'string' && /^(?:application\/)?(?:at\+)?jwt$/i.test(type);
}

export type Named =
  | { readonly kind: 'address'; readonly claim: string; readonly address: Address; readonly key: string }
  | { readonly kind: 'none'; readonly why: string };

/** The first of the claims that the token has; `email` only if it is verified, when that is required. */
export function namedAddress(
  payload: JWTPayload,
  claims: readonly string[],
  needsVerified: (domain: string) => boolean,
): Named {
  for (const claim of claims) {
    const value = payload[claim];
    if (value === undefined) continue;
    const parsed = typeof value === 'string' ? parseAddress(value) : undefined;
    if (!parsed?.ok) return { kind: 'none', why: `${claim} is no address: ${shown(value)}` };
    const address = parsed.value;
    if (claim === 'email' && needsVerified(address.domain) && !isTrue(payload['email_verified'])) {
      // Entra never sets it, and names the user by another claim.
      if (payload['email_verified'] === undefined && hasAnother(payload, claims, claim)) continue;
      return {
        kind: 'none',
        why: `email_verified must be true for email to count: it is ${shown(payload['email_verified'])}`,
      };
    }
    return { kind: 'address', claim, address, key: addressKey(address) };
  }
  return { kind: 'none', why: `it must have one of the claims ${claims.join(', ')}` };
}

function hasAnother(payload: JWTPayload, claims: readonly string[], claim: string): boolean {
  return claims.slice(claims.indexOf(claim) + 1).some((next) => payload[next] !== undefined);
}

/** Some issuers write it as a text. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

/** RFC 8693 4.2 (`scope`, separated by spaces); Entra uses `scp`, with spaces or as a list. */
export function scopesOf(payload: JWTPayload): readonly string[] {
  return ['scope', 'scp'].flatMap((claim) => {
    const value = payload[claim];
    if (typeof value === 'string') return value.split(' ');
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
  });
}

/** For an administrator: bounded, and without control characters. */
export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, SHOWN_CHARACTERS);
}
