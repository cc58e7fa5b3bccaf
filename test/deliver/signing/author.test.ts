import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromDomain } from '../../../src/deliver/signing/author.ts';

const of = (...values: string[]): string | undefined =>
  fromDomain(values.map((value) => ({ name: 'from', raw: `From: ${Buffer.from(value).toString('latin1')}` })));

test('a domain in letters of its own is signed for by its A-labels', () => {
  assert.equal(of('Jürgen <j@Müller.example>'), 'xn--mller-kva.example');
  assert.equal(of('j@müller.example, k@xn--mller-kva.example'), 'xn--mller-kva.example');
});

test('nobody signs for a domain that is disguised, cannot be one, or is not the only one', () => {
  for (const value of ['j@exam\u200bple.com', 'j@example..com', 'j@[192.0.2.1]', 'a@example.com, b@other.example'])
    assert.equal(of(value), undefined, value);
  assert.equal(of('j@example.com', 'j@example.com'), undefined);
});
