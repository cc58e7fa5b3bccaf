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
