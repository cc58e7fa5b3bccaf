/** The isemail address suite (POSTERN_SUITES): RFC 5321's Mailbox and nothing looser is accepted. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '../../../src/protocol/smtp/address.ts';

const SUITE = resolve(process.env['POSTERN_SUITES'] ?? '../shared/suites', 'smtp/isemail-tests.xml');

/** Valid in an envelope; every other category is for headers, obsolete, or wrong. */
const VALID = new Set(['ISEMAIL_VALID_CATEGORY', 'ISEMAIL_DNSWARN', 'ISEMAIL_RFC5321']);

const EXCLUSIONS: Readonly<Record<string, string>> = {
  26: 'a local part of 65 octets: accepted up to 255, since tagged bounce addresses are longer',
  59: 'the same, quoted',
  60: 'the same, quoted',
  39: 'an address of 255 octets: its domain fits DNS, and no bound is set on the sum',
  71: 'an IPv6 literal with one elided group: deprecated by RFC 5952 4.2.2, yet an address',
};

interface Case {
  readonly id: string;
  readonly address: string;
  readonly category: string;
}

function readSuite(): Case[] {
  const xml = readFileSync(SUITE, 'utf8');
  return [...xml.matchAll(/<test id="(\d+)">(.*?)<\/test>/gs)].map(([, id = '', test = '']) => ({
    id,
    address: unescapeXml(/<address>([^<]*)<\/address>/.exec(test)?.[1] ?? ''),
    category: /<category>(\w+)<\/category>/.exec(test)?.[1] ?? '',
  }));
}

/** Controls are written as their pictures, U+2400 and up. */
function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => entities[name]!)
    .replace(/[\u2400-\u241f]/g, (picture) => String.fromCharCode(picture.charCodeAt(0) - 0x2400));
}

test('every address of the suite is taken or refused as RFC 5321 says', {
  skip: existsSync(SUITE) ? false : `no ${SUITE}`,
}, () => {
  const cases = readSuite();
  assert.ok(cases.length >= 160, `${cases.length} cases`);
  const wrong = cases.filter(({ id, address, category }) => {
    const right = parseAddress(address, false).ok === VALID.has(category);
    return right === id in EXCLUSIONS;
  });
  assert.deepEqual(wrong, []);
});
