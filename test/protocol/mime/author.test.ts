import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAuthor } from '../../../src/protocol/mime/author.ts';

const binary = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
/** Pieces of the grammar and of what breaks it, around the address of a bank. */
const piece = fc.constantFrom(
  ...['"', '\\', '(', ')', '<', '>', '[', ']', ',', ';', ':', '@', '.', ' ', '\t', '\0', '\x07', '\xff', '=', '?', "'"],
  ...['=?utf-8?q?', '?=', '=40', 'x', 'a.test', '@evil.test', binary('\u200b'), binary('\uff20'), 'Bank'],
);
const junk = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));

test('no From field, whatever its octets, makes the reader throw, and its domains are those of its addresses', () => {
  const field = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }).map(binary), junk);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 3 }), (fields) => {
      const { addresses, domains, namesNobody, unclear, mailboxes } = readAuthor(fields);
      const named = new Set(addresses.map(({ domain }) => domain).filter((domain) => !domain.startsWith('[')));
      assert.deepEqual(domains, [...named]);
      if (namesNobody) assert.deepEqual([addresses, mailboxes], [[], []]);
      else assert.ok(domains.length > 0 || unclear !== undefined);
    }),
    { numRuns: 500 },
  );
});

test('an attacker puts anything before and behind a bank’s address that ends it: the bank counts, or the field is read whole', () => {
  const end = fc.constantFrom('', ' ', ';', '>', ',', '\0', ')', '"', '/', '<', '\\', ':');
  const before = junk.map((text) => `${text} `);
  fc.assert(
    fc.property(before, end, junk, (start, stop, rest) => {
      const { domains, isWhole } = readAuthor([`${start}boss@bank.test${stop}${stop === '' ? '' : rest}`]);
      assert.ok(isWhole || domains.includes('bank.test'));
    }),
    { numRuns: 2_000 },
  );
});

test('an attacker writes the bank’s address in encoded words without a charset, of an unknown one, or with an escape cut in two', () => {
  const ebcdic = Buffer.from('8296a2a27c828195924ba385a2a3', 'hex').toString('base64');
  const base64 = Buffer.from('boss@bank.test').toString('base64');
  for (const field of [
    `=??b?${base64}?=`,
    '<=??q?boss=40bank.test?=>',
    'boss=??q?=40?=bank.test',
    '=?UTF-8?Q?boss=4?= =?UTF-8?Q?0bank.test?=',
    `=?UTF-8?B?${base64.slice(0, 5)}?=\t=?UTF-8?B?${base64.slice(5)}?=`,
  ])
    assert.deepEqual(readAuthor([field]).domains, ['bank.test'], field);
  const { namesNobody, unclear } = readAuthor([`=?ibm037?b?${ebcdic}?=`]);
  assert.deepEqual({ namesNobody, unclear }, { namesNobody: false, unclear: 'no-domain' });
  assert.equal(readAuthor([`=?ibm037?b?${ebcdic}?= <alice@example.com>`]).unclear, undefined);
  assert.equal(readAuthor(['=?utf-8?q?root?=']).namesNobody, true);
});
