/** Key records (RFC 6376 3.6.1, RFC 8463 4): the TXT record of a selector, written and compared. */
import type { SigningAlgorithm } from './signature.ts';

/** `publicKey`: base64; SubjectPublicKeyInfo of RSA, the 32 bytes of Ed25519. */
export function formatKeyRecord(algorithm: SigningAlgorithm, publicKey: string): string {
  return `v=DKIM1; k=${keyType(algorithm)}; p=${publicKey}`;
}

function keyType(algorithm: SigningAlgorithm): 'rsa' | 'ed25519' {
  return algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
}

/** RFC 1035 3.3.14: a character-string has at most 255 bytes, so an RSA record has two. */
export function characterStrings(record: string): readonly string[] {
  const strings: string[] = [];
  for (let at = 0; at < record.length; at += 255) strings.push(record.slice(at, at + 255));
  return strings;
}

export type RecordFlaw =
  /** Another key, or none. */
  | 'other-key'
  /** `p=` is empty: withdrawn. */
  | 'revoked'
  /** `h=`, `s=` or `k=` forbid our use of it. */
  | 'restricted'
  /** `t=y`: receivers must not use the result. */
  | 'testing';

/** Whether a verifier that finds this record accepts our signatures; undefined: it does. */
export function flawOf(text: string, algorithm: SigningAlgorithm, publicKey: string): RecordFlaw | undefined {
  const tags = new Map<string, string>();
  for (const tag of text.split(';')) {
    const equals = tag.indexOf('=');
    if (equals > 0) tags.set(tag.slice(0, equals).trim(), tag.slice(equals + 1).replace(/\s+/g, ''));
  }
  const version = tags.get('v');
  const key = tags.get('p');
  if ((version !== undefined && version !== 'DKIM1') || key === undefined) return 'other-key';
  if (key === '') return 'revoked';
  if (withoutPadding(key) !== withoutPadding(publicKey)) return 'other-key';
  if ((tags.get('k') ?? 'rsa') !== keyType(algorithm)) return 'restricted';
  if (!allows(tags.get('h'), 'sha256') || !allows(tags.get('s'), 'email')) return 'restricted';
  return tags.get('t')?.split(':').includes('y') ? 'testing' : undefined;
}

/** From the end: a pattern would search from each `=` of a record that somebody else wrote. */
function withoutPadding(base64: string): string {
  let end = base64.length;
  while (end > 0 && base64[end - 1] === '=') end--;
  return base64.slice(0, end);
}

function allows(list: string | undefined, value: string): boolean {
  const values = list?.split(':');
  return !values || values.includes(value) || values.includes('*');
}
