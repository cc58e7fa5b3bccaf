import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { relaxedBodyHash, relaxedField } from '../../../src/protocol/dkim/canonical.ts';
import { selectFields, signedHeader } from '../../../src/protocol/dkim/fields.ts';

const hashOf = (text: string): string => createHash('sha256').update(text, 'latin1').digest('base64');

function bodyHash(...chunks: string[]): string {
  const hash = relaxedBodyHash();
  for (const chunk of chunks) hash.push(Buffer.from(chunk, 'latin1'));
  return hash.end();
}

/** RFC 6376 3.4.4, word for word, over a whole body. */
function asTheRfcSays(body: string): string {
  const text = body
    .replace(/[ \t]+(?=\r\n|$(?![\s\S]))/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/(?:\r\n)*$/, '');
  return text === '' ? '' : `${text}\r\n`;
}

test('the example of RFC 6376 3.4.5 comes out as it stands there', () => {
  assert.equal(relaxedField('A: X\r\n'), 'a:X');
  assert.equal(relaxedField('B : Y\t\r\n\tZ  \r\n'), 'b:Y Z');
  assert.equal(bodyHash(' C \r\nD \t E\r\n\r\n\r\n'), hashOf(' C\r\nD E\r\n'));
});

test('an empty body is nothing, and blank lines alone are no body', () => {
  for (const body of ['', '\r\n', '\r\n\r\n', ' \t\r\n', ' '])
    assert.equal(bodyHash(body), hashOf(''), JSON.stringify(body));
});

test('a body is hashed the same wherever its chunks fall, and as the RFC says', () => {
  const piece = fc.constantFrom('a', 'bc', ' ', '  ', '\t', '\r\n', '\r\n\r\n', '\r', '\n', '.', '\u00e4', '=');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(80), { maxLength: 5 }), (pieces, cuts) => {
      const body = pieces.join('');
      const at = [0, ...cuts.map((cut) => Math.min(cut, body.length)).sort((a, b) => a - b), body.length];
      const chunks = at.slice(1).map((end, i) => body.slice(at[i], end));
      assert.equal(bodyHash(...chunks), hashOf(asTheRfcSays(body)));
    }),
    { numRuns: 2000 },
  );
});

test('thousands of blank lines in the middle of a body count, at its end they do not', () => {
  const lines = '\r\n'.repeat(5000);
  assert.equal(bodyHash(`a${lines}b${lines}`), hashOf(`a${lines}b\r\n`));
});

/** RFC 8463 appendix A. */
const RFC_8463 = [
  'From: Joe SixPack <joe@football.example.com>',
  'To: Suzie Q <suzie@shopping.example.net>',
  'Subject: Is dinner ready?',
  'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
  'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
  '',
  'Hi.',
  '',
  'We lost the game.  Are you hungry yet?',
  '',
  'Joe.',
  '',
].join('\r\n');

test('the signature of RFC 8463 appendix A verifies over our canonical form', () => {
  const bytes = Buffer.from(RFC_8463);
  const header = signedHeader(bytes)!;
  assert.equal(bodyHash(RFC_8463.slice(header.bodyStart)), '2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=');
  const signature =
    'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n' +
    ' d=football.example.com; i=@football.example.com;\r\n' +
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n' +
    ' subject : date : message-id : from : subject : date;\r\n' +
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=';
  const signed = header.fields.map(({ raw }) => `${relaxedField(raw)}\r\n`).join('') + relaxedField(signature);
  const spki = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from('11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=', 'base64'),
  ]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const made = '/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==';
  const digest = createHash('sha256').update(signed).digest();
  assert.ok(verify(null, digest, key, Buffer.from(made, 'base64')));
});

test('fields are taken from the bottom up, and those that deceive readers once more than they are there', () => {
  const header = signedHeader(
    Buffer.from('Subject: one\r\nFrom: a@example.com\r\nSubject: two\r\nX-Other: no\r\n\r\n'),
  )!;
  const { names, canonical } = selectFields(header.fields);
  assert.equal(names.filter((name) => name === 'Subject').length, 3);
  assert.equal(names.filter((name) => name === 'From').length, 2);
  assert.equal(names.filter((name) => name === 'Reply-To').length, 1);
  assert.ok(!names.includes('X-Other'));
  assert.equal(canonical, 'from:a@example.com\r\nsubject:two\r\nsubject:one\r\n');
});

test('a header with a line that is no field is not signed at all', () => {
  assert.equal(signedHeader(Buffer.from('From: a@example.com\r\nno field\r\n\r\nbody')), undefined);
});
