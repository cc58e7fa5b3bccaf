/** An attacker's address fields, doubled: the time may grow no faster than they do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddressList } from '../../../src/protocol/mime/address-list.ts';
import { readAuthor } from '../../../src/protocol/mime/author.ts';
import { MIME_LIMITS } from '../../../src/protocol/mime/limits.ts';
import { assertLinear } from '../../support/growth.ts';

const START = '<@';
const PIECES = [',', 'a,', '[],', '.,', '"",', '(),', '@,', ' .,', '=?a?q?b?=,', ':@,', '<,'];

test('an attacker opens a source route and goes on with commas', () => {
  for (const piece of PIECES)
    assertLinear(
      {
        name: JSON.stringify(START + piece),
        input: (size) => START + piece.repeat(Math.floor(size / piece.length)),
        largest: MIME_LIMITS.addressFieldCharacters,
      },
      parseAddressList,
    );
});

test('an attacker writes an address field as long as the header may be, and no more than its bounds are read', () => {
  const { mailboxes, isCut } = parseAddressList('a@b.test,'.repeat(28_000));
  assert.deepEqual([mailboxes.length, isCut], [MIME_LIMITS.mailboxes, true]);
  assert.equal(parseAddressList(`${'a '.repeat(20_000)}<a@b.test>`).isCut, true);
});

test('an attacker repeats what has to be repaired in a From field: all readings of it take linear time', () => {
  for (const piece of ['x\0"(b)', '=?a?q?=40b.c?= ', '+AEA-', '\xc0\x80', '(((', '\\"', ' . ', 'a@b.c(d)"e" ']) {
    const start = `"<@a.b =?utf-7?q?`;
    assertLinear(
      {
        name: JSON.stringify(piece),
        input: (size) => start + piece.repeat(Math.floor(size / piece.length)),
        largest: MIME_LIMITS.addressFieldCharacters,
      },
      (value) => readAuthor([value]),
    );
  }
});
