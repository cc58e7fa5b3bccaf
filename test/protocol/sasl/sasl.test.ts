import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseOauthBearer, parseXoauth2 } from '../../../src/protocol/sasl/oauth.ts';
import { formatPlain, parsePlain } from '../../../src/protocol/sasl/plain.ts';
import { saslprep } from '../../../src/protocol/sasl/saslprep.ts';
import {
  clientFinal,
  formatServerFinal,
  formatServerFirst,
  makeVerifier,
  parseClientFinal,
  parseClientFirst,
  parseServerFirst,
  verifyProof,
} from '../../../src/protocol/sasl/scram.ts';

test('the example of RFC 7677 3 comes out octet for octet, on both sides', () => {
  const first = parseClientFirst('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')!;
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const serverFirst = formatServerFirst('rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', salt, 4096);
  assert.equal(serverFirst, 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096');
  const client = clientFinal('pencil', first, serverFirst)!;
  assert.equal(
    client.message,
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  );
  assert.equal(client.expected, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  const final = parseClientFinal(client.message)!;
  const verifier = makeVerifier('pencil', salt, 4096);
  const exchange = { clientFirstBare: first.bare, serverFirst, clientFinalWithoutProof: final.withoutProof };
  assert.ok(verifyProof(verifier, exchange, final.proof));
  assert.equal(formatServerFinal(verifier, exchange), client.expected);
  assert.ok(!verifyProof(makeVerifier('pencils', salt, 4096), exchange, final.proof));
});

test('a client-first message keeps names with commas and equals signs, and its binding', () => {
  const first = parseClientFirst('p=tls-exporter,a=b=2Cc,n=al=3Dice,r=abc')!;
  assert.deepEqual(
    [first.binding, first.authorization, first.username],
    [{ kind: 'used', type: 'tls-exporter' }, 'b,c', 'al=ice'],
  );
  assert.equal(first.gs2Header, 'p=tls-exporter,a=b=2Cc,');
  for (const bad of ['', 'n,n=user,r=x', 'n,,m=ext,n=user,r=x', 'n,,n=us=41er,r=x', 'q,,n=user,r=x', 'n,,n=user,r=']) {
    assert.equal(parseClientFirst(bad), undefined, bad);
  }
});

test('the examples of RFC 4013 3 prepare as they say', () => {
  assert.equal(saslprep('I\u00adX'), 'IX');
  assert.equal(saslprep('user'), 'user');
  assert.equal(saslprep('USER'), 'USER');
  assert.equal(saslprep('\u00aa'), 'a');
  assert.equal(saslprep('\u2168'), 'IX');
  assert.equal(saslprep('\u0007\u00e9'), undefined);
  assert.equal(saslprep('\u0627\u0031'), undefined);
});

test('PLAIN comes back as it went, and anything with parts missing, too many or too long does not', () => {
  const part = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(
      fc.record({ authorization: fc.oneof(part, fc.constant('')), username: part, password: part }),
      (credentials) => {
        assert.deepEqual(parsePlain(formatPlain(credentials)), { ...credentials });
      },
    ),
  );
  for (const bad of [
    '',
    '\0',
    '\0user\0',
    '\0\0password',
    'user\0password',
    '\0user\0pass\0word',
    `\0user\0${'x'.repeat(256)}`,
  ]) {
    assert.equal(parsePlain(Buffer.from(bad)), undefined, JSON.stringify(bad));
  }
  assert.equal(parsePlain(Buffer.from([0, 0xc3, 0x28, 0, 0x61])), undefined, 'not UTF-8');
});

test('the bearer messages of RFC 7628 4.1 and of XOAUTH2 give user and token', () => {
  const oauth =
    'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01';
  assert.deepEqual(parseOauthBearer(oauth), {
    username: 'user@example.com',
    token: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==',
  });
  assert.deepEqual(parseXoauth2('user=bob@example.com\x01auth=Bearer ya29.x\x01\x01'), {
    username: 'bob@example.com',
    token: 'ya29.x',
  });
  for (const bad of [
    '',
    'n,a=u,\x01auth=Bearer a b\x01\x01',
    'n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01',
    'n,,\x01\x01',
  ])
    assert.equal(parseOauthBearer(bad), undefined);
});

test('no message, however odd, makes a parser throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const parse of [
        parseClientFirst,
        parseClientFinal,
        parseServerFirst,
        parseOauthBearer,
        parseXoauth2,
        saslprep,
      ])
        parse(text);
      parsePlain(Buffer.from(text));
    }),
    { numRuns: 300 },
  );
});
