import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatMingerAnswer,
  formatMingerQuery,
  parseMingerAnswer,
  parseMingerQuery,
  verifyMingerDigest,
} from '../../../src/protocol/minger/minger.ts';

const VECTORS = [
  ['abcdefghijklmnop', 'arvel@example.com', 'GbfeK+Xm+dVH30a5hby2pg=='],
  ['abcdefghijklmnop', 'Arvel@Example.com', 'abiQv0cU0EKxfXz1CJMW4w=='],
  ['s3cr3t-with-:-colon', 'user+tag@example.org', 'JfNfNEOPT8Xi+N9sx1z7BQ=='],
] as const;

test('queries carry the published digests, of the mailbox as it is written', () => {
  for (const [secret, mailbox, digest] of VECTORS) {
    const line = formatMingerQuery(mailbox, secret);
    assert.equal(line, `${mailbox} d=${digest}`);
    const query = parseMingerQuery(`${line}\r\n`);
    assert.ok(query && verifyMingerDigest(query, secret));
    assert.ok(!verifyMingerDigest(query, `${secret}x`));
  }
});

test('an anonymous query never passes for one with a secret', () => {
  assert.equal(verifyMingerDigest(parseMingerQuery('alice@example.com')!, ''), false);
});

test('a mailbox with spaces in quotes is read whole, in query and in answer', () => {
  const mailbox = '"alice in \\"quotes\\" d=x"@example.com';
  assert.equal(parseMingerQuery(formatMingerQuery(mailbox, 'a secret'))?.mailbox, mailbox);
  assert.equal(parseMingerAnswer(formatMingerAnswer(mailbox, 'exists-active'), mailbox), 'exists-active');
});

test('an answer about another mailbox, or of an unknown status, is no answer', () => {
  assert.equal(parseMingerAnswer('eve@example.com 5', 'alice@example.com'), undefined);
  assert.equal(parseMingerAnswer('alice@example.com 6', 'alice@example.com'), undefined);
  assert.equal(parseMingerAnswer('alice@example.com', 'alice@example.com'), undefined);
  assert.equal(parseMingerAnswer('ALICE@example.com 3\r\n\0', 'alice@example.com'), 'no-such-address');
});

test('malformed queries are told apart: no mailbox, broken digest, repeated or reserved tags, control characters', () => {
  for (const line of [
    '',
    'alice',
    'a@b.example d=short',
    'a@b.example x=1 x=2',
    'a@b.example x=1 d=y',
    'a@b\x07.example',
    `${'a'.repeat(2000)}@b.example`,
  ]) {
    assert.equal(parseMingerQuery(line), undefined, line.slice(0, 40));
  }
  assert.deepEqual(
    [...parseMingerQuery('a@b.example site=1 v=2')!.tags],
    [
      ['site', '1'],
      ['v', '2'],
    ],
  );
});

test('no datagram makes the parsers throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      parseMingerQuery(text);
      parseMingerAnswer(text, 'alice@example.com');
    }),
  );
});
