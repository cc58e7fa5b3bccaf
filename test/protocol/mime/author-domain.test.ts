import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAuthorDomain } from '../../../src/protocol/mime/author-domain.ts';

const plain = (domain: string) => ({ domain, isDisguised: false });
const disguised = (domain: string) => ({ domain, isDisguised: true });

test('names and U-labels are read as A-labels, in whatever case and composition', () => {
  for (const [written, domain] of [
    ['bank.test', 'bank.test'],
    ['BANK.Test.', 'bank.test'],
    ['müller.example', 'xn--mller-kva.example'],
    ['MÜLLER.example.', 'xn--mller-kva.example'],
    ['mu\u0308ller\u3002example', 'xn--mller-kva.example'],
    ['xn--mller-kva.example', 'xn--mller-kva.example'],
    ['straße.example', 'xn--strae-oqa.example'],
    ['_odd.a_b.example', '_odd.a_b.example'],
    ['com', 'com'],
  ] as const)
    assert.deepEqual(readAuthorDomain(written), plain(domain), written);
});

for (const [move, written] of [
  ['a zero-width space', 'mod\u200bern.test'],
  ['a soft hyphen', 'mod\u00adern.test'],
  ['a word joiner', 'mod\u2060ern.test'],
  ['a variation selector', 'mod\ufe00ern.test'],
  ['a joiner', 'mod\u200dern.test'],
  ['a non-joiner', 'mod\u200cern.test'],
  ['a mark of direction', '\u202amod\u200eern.test'],
  ['a tag', 'mod\u{e0001}ern.test'],
  ['a filler', 'mod\u3164ern.test'],
  ['a full-width letter', '\uff4dodern.test'],
  ['a mathematical letter', '\u{1d426}odern.test'],
  ['a dot of other width', 'modern\u2024test'],
] as const) {
  test(`an attacker who hides ${move} in a domain is read as that domain`, () =>
    assert.deepEqual(readAuthorDomain(written), disguised('modern.test')));
}

test('what cannot be a name in the DNS is none', () => {
  for (const written of [
    ...['', '.', '.bank.test', 'bank..test', 'bank.test..', '\u200b.bank.test', `${'a'.repeat(64)}.test`],
    ...[`${'abcdefgh.'.repeat(30)}test`, `${'ü'.repeat(60)}.test`, `${'\u200b'.repeat(2_000)}bank.test`],
    ...['bank\0.test', 'bank\x08.test', 'bank\x7f.test', 'bank\u0085.test', 'ba nk.test', 'bank\u2028.test'],
    ...['=?utf-8?q?bank.test?=', '[bank.test]', '[192.0.2.1]', '192.0.2.1', '\uff11\uff19\uff12.0.2.1', 'bank.test.1'],
    ...[
      'bank.test@evil.test',
      'bank.test\uff20evil.test',
      'bank.test;',
      'b\u00fcnk%2etest',
      'bank.test/\u200b.evil.test',
    ],
    ...['bank.test/x', 'bank.test!x', 'bank.test%x', "bank.test'", 'bank.test\uff01x'],
    ...['bank.test?\u200b', 'bank.test#\u200b', '\u2100bank.test'],
  ])
    assert.equal(readAuthorDomain(written), undefined, JSON.stringify(written));
});

test('what is read is read as itself again', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('', '.test', '.müller.test'),
      (label, rest) => {
        const read = readAuthorDomain(label + rest);
        if (read) assert.deepEqual(readAuthorDomain(read.domain), plain(read.domain));
      },
    ),
    { numRuns: 2_000 },
  );
});
