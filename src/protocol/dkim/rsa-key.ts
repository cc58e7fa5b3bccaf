/**
 * The two numbers of an RSA public key: a bare RSAPublicKey (RFC 8017, appendix A.1.1), as RFC 6376 3.6.1 has it, or
 * SubjectPublicKeyInfo (RFC 5280 4.1.2.7), which is what domains publish. DER only. Never throws.
 */
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
/** rsaEncryption (RFC 8017, appendix A.1), as an OBJECT IDENTIFIER. */
const RSA = Buffer.from('06092a864886f70d010101', 'hex');

export interface RsaNumbers {
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

/** `other`: a key of another kind. */
export function readRsaKey(bytes: Uint8Array): RsaNumbers | 'malformed' | 'other' {
  const outer = element(bytes, SEQUENCE);
  if (!outer) return 'malformed';
  if (outer.value[0] === INTEGER) return numbersIn(outer.value);
  const algorithm = element(outer.value, SEQUENCE);
  if (!algorithm) return 'malformed';
  if (!RSA.equals(algorithm.value.subarray(0, RSA.length))) return 'other';
  const wrapped = element(algorithm.rest, BIT_STRING);
  // The first byte counts unused bits.
  if (wrapped?.value[0] !== 0) return 'malformed';
  const key = element(wrapped.value.subarray(1), SEQUENCE);
  return key ? numbersIn(key.value) : 'malformed';
}

function numbersIn(bytes: Uint8Array): RsaNumbers | 'malformed' {
  const modulus = element(bytes, INTEGER);
  const exponent = modulus && element(modulus.rest, INTEGER);
  if (!modulus || !exponent) return 'malformed';
  const [n, e] = [unsigned(modulus.value), unsigned(exponent.value)];
  // RFC 8017 3.1: the exponent is odd and at least 3; a modulus is odd.
  if (n.length === 0 || e.length === 0 || (n.at(-1)! & 1) === 0 || (e.at(-1)! & 1) === 0) return 'malformed';
  return e.length === 1 && e[0]! < 3 ? 'malformed' : { modulus: n, exponent: e };
}

function unsigned(bytes: Uint8Array): Uint8Array {
  // Negative.
  if (bytes.length === 0 || bytes[0]! >= 0x80) return new Uint8Array();
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  return bytes.subarray(start);
}

function element(bytes: Uint8Array, tag: number): { value: Uint8Array; rest: Uint8Array } | undefined {
  if (bytes.length < 2 || bytes[0] !== tag) return undefined;
  let length = bytes[1]!;
  let at = 2;
  if (length >= 0x80) {
    const octets = length & 0x7f;
    // A TXT record has less than 64 kB.
    if (octets < 1 || octets > 2 || bytes.length < 2 + octets) return undefined;
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + bytes[at++]!;
  }
  if (at + length > bytes.length) return undefined;
  return { value: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) };
}
