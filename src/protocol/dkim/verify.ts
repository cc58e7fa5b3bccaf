/**
 * The arithmetic of a verification, and its cost before it is done (RFC 6376 3.7, 6.1.3).
 *
 * The header part of a signature is assembled from fields that are made canonical once for all signatures of a
 * message; the body's part is its hash, which is compared elsewhere.
 */
import { createHash, createVerify, type KeyObject, verify } from 'node:crypto';
import { relaxedField } from './canonical.ts';
import type { RawField } from './fields.ts';
import { bitsOf, type KeyNumbers } from './read-key.ts';
import type { Canonicalization, ReadSignature } from './read-signature.ts';

/** The fields of one message, for all its signatures. */
export interface CoverableFields {
  /** The header bytes that the signature covers, itself included: one byte a character. */
  covered(signature: ReadSignature): string;
}

export function coverableFields(fields: readonly RawField[]): CoverableFields {
  const byName = new Map<string, number[]>();
  for (const [index, { name }] of fields.entries()) {
    const same = byName.get(name);
    if (same) same.push(index);
    else byName.set(name, [index]);
  }
  const relaxed: string[] = [];
  const canonical = (index: number, how: Canonicalization): string => {
    const { raw } = fields[index]!;
    if (how === 'simple') return raw;
    relaxed[index] ??= relaxedField(raw);
    return relaxed[index];
  };
  return {
    covered({ raw, names, header }) {
      const taken = new Map<string, number>();
      let text = '';
      for (const name of names) {
        // RFC 6376 5.4.2: from the bottom up; a surplus name stands for a field that is absent.
        const count = (taken.get(name) ?? 0) + 1;
        taken.set(name, count);
        const index = byName.get(name)?.at(-count);
        if (index !== undefined) text += `${canonical(index, header)}\r\n`;
      }
      const own = withoutSignature(raw);
      return text + (header === 'simple' ? own : relaxedField(own));
    },
  };
}

/** RFC 6376 3.7: the field with the value of `b=` deleted. */
export function withoutSignature(raw: string): string {
  const colon = raw.indexOf(':') + 1;
  const specs = raw.slice(colon).split(';');
  const index = specs.findIndex((spec) => /^\s*b\s*=/.test(spec));
  if (index >= 0) specs[index] = specs[index]!.slice(0, specs[index]!.indexOf('=') + 1);
  return raw.slice(0, colon) + specs.join(';');
}

/** Whether the key signed these parts, one after the other. A signature that no key can produce is a wrong one. */
export function isSignedBy(
  covered: readonly Uint8Array[],
  { keyType, signature }: Pick<ReadSignature, 'keyType' | 'signature'>,
  key: KeyObject,
): boolean {
  const value = Buffer.from(signature, 'base64');
  try {
    if (keyType === 'rsa') return updated(createVerify('sha256'), covered).verify(key, value);
    // RFC 8463 3: Ed25519 signs the hash.
    return verify(null, updated(createHash('sha256'), covered).digest(), key, value);
  } catch {
    // OpenSSL refuses some odd keys only now, and the key is the signer's choice.
    return false;
  }
}

function updated<T extends { update(bytes: Uint8Array): unknown }>(into: T, parts: readonly Uint8Array[]): T {
  for (const part of parts) into.update(part);
  return into;
}

/**
 * The cost of a verification, in verifications with an RSA key of 2048 bits and the exponent 65537: the square of the
 * bits, once for each bit of the exponent; measured, twice that for each bit that is set.
 */
export function priceOf(numbers: KeyNumbers): number {
  if (numbers.type === 'ed25519') return 4;
  return (bitsOf(numbers.modulus) / 2048) ** 2 * (bitsOf(numbers.exponent) / 17);
}
