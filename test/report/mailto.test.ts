import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportDomain } from '../../src/posture/dmarc-record.ts';
import { mailtoAddress } from '../../src/report/dmarc/destinations.ts';

test('a mailto: whose local part needs quotes is the address that its owner wrote, quotes and all', () => {
  for (const [uri, text] of [
    ['mailto:reports@example.org', 'reports@example.org'],
    ['mailto:reports@example.org!10m', 'reports@example.org'],
    ['MAILTO:reports@example.org?subject=x', 'reports@example.org'],
    ['mailto:%22dmarc%20reports%22@example.org', '"dmarc reports"@example.org'],
    ['mailto:%22a%40b%22@example.org', '"a@b"@example.org'],
    ['mailto:"a@b"@example.org', '"a@b"@example.org'],
    ['mailto:a%21b@example.org', 'a!b@example.org'],
  ] as const) {
    assert.deepEqual(mailtoAddress(uri), { text, domain: 'example.org' }, uri);
    assert.equal(reportDomain(uri), 'example.org', uri);
  }
});

test('an attacker writes a mailto: that is two addresses, or breaks a line: it is none', () => {
  for (const uri of [
    'mailto:a@b@example.org',
    'mailto:a%0d%0ab@example.org',
    'mailto:%22a%0d%0ab%22@example.org',
    'mailto:a%ZZ@example.org',
    'mailto:a@[192.0.2.1]',
    'https://example.org',
  ])
    assert.equal(mailtoAddress(uri), undefined, uri);
});
