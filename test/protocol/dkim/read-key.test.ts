import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { bitsOf, readKey } from '../../../src/protocol/dkim/read-key.ts';
import { readSignature } from '../../../src/protocol/dkim/read-signature.ts';
import { priceOf } from '../../../src/protocol/dkim/verify.ts';

const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');
const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const { publicKey: ed25519 } = generateKeyPairSync('ed25519');
const jwk = rsa.export({ format: 'jwk' });
const withExponent = (hex: string): string =>
  spki(createPublicKey({ key: { ...jwk, e: Buffer.from(hex, 'hex').toString('base64url') }, format: 'jwk' }));

test('an RSA key is read with its sizes in both forms that are published, an Ed25519 key in its own', () => {
  const bare = rsa.export({ type: 'pkcs1', format: 'der' }).toString('base64');
  for (const p of [spki(rsa), bare]) {
    const key = readKey(`v=DKIM1; k=rsa; p=${p.slice(0, 50)} ${p.slice(50)}`);
    assert.ok(typeof key !== 'string' && key.numbers.type === 'rsa');
    assert.deepEqual([bitsOf(key.numbers.modulus), bitsOf(key.numbers.exponent)], [2048, 17]);
    assert.equal(Buffer.from(key.numbers.modulus).toString('base64url'), jwk.n);
    assert.equal(priceOf(key.numbers), 1);
  }
  const raw = Buffer.from(ed25519.export({ format: 'jwk' }).x!, 'base64url').toString('base64');
  const key = readKey(`k=ed25519; p=${raw}; t=y:s`);
  assert.ok(typeof key !== 'string' && key.numbers.type === 'ed25519' && key.isTesting && key.isStrict);
});

test('what restricts, revokes or breaks a key record is named', () => {
  const p = `p=${spki(rsa)}`;
  for (const [record, flaw] of [
    ['v=DKIM1; p=', 'invalid public key'],
    ['v=DKIM1', 'invalid public key'],
    ['v=DKIM1; p=!!', 'invalid public key'],
    [`v=DKIM1; p=${spki(rsa).slice(0, 100)}`, 'invalid public key'],
    [`v=DKIM1; ${p}; ${p}`, 'invalid public key'],
    [`v=DKIM2; ${p}`, 'unknown key version'],
    [`${p}; v=DKIM1`, 'unknown key version'],
    [`k=dsa; ${p}`, 'unknown key type'],
    [`p=${spki(ed25519)}`, 'unknown key type'],
    [`k=ed25519; ${p}`, 'invalid public key'],
    [`s=tlsrpt; ${p}`, 'key not for email'],
  ] as const)
    assert.equal(readKey(record), flaw, record.slice(0, 40));
  assert.deepEqual((readKey(`h=sha1:sha256; s=*; ${p}`) as { hashes: unknown }).hashes, ['sha1', 'sha256']);
});

test('an attacker publishes a key that is expensive to verify with: it is too large, and no arithmetic is done to learn that', () => {
  assert.ok(typeof readKey(`p=${withExponent('fffffffb')}`) !== 'string', '32 bits are allowed');
  assert.equal(readKey(`p=${withExponent('0100000001')}`), 'key larger than is verified');
  const long = Buffer.from(jwk.n!, 'base64url').toString('hex');
  assert.equal(readKey(`p=${withExponent(long)}`), 'key larger than is verified');
  const wide = {
    ...jwk,
    n: Buffer.concat([
      Buffer.alloc(257, 255),
      Buffer.from(jwk.n!, 'base64url'),
      Buffer.from(jwk.n!, 'base64url'),
    ]).toString('base64url'),
  };
  assert.equal(readKey(`p=${spki(createPublicKey({ key: wide, format: 'jwk' }))}`), 'key larger than is verified');
  assert.equal(readKey(`p=${withExponent('01')}`), 'invalid public key', 'what it signs, anybody signs');
});

test('no octets make a reader of keys or signatures throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.string({ unit: 'binary', maxLength: 300 }), (bytes, text) => {
      readKey(`p=${Buffer.from(bytes).toString('base64')}`);
      const der = Buffer.from(spki(rsa), 'base64');
      bytes.forEach((byte, i) => {
        der[(byte * 7 + i) % der.length] = byte;
      });
      readKey(`p=${der.toString('base64')}`);
      readKey(text);
      for (const kind of ['dkim', 'arc'] as const) readSignature(`DKIM-Signature: ${text}`, kind);
    }),
    { numRuns: 500 },
  );
});
