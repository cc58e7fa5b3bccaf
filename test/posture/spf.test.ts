import assert from 'node:assert/strict';
import { test } from 'node:test';
import { characterStrings } from '../../src/protocol/dkim/record.ts';
import type { ZoneName } from '../support/zone.ts';
import { DOMAIN, said, world } from './support.ts';

const OURS = 'ip4:192.0.2.1 ip6:2001:db8::1';
const PASSING = ['good good', 'good good'];

function published(...records: readonly (string | readonly string[])[]): Record<string, ZoneName> {
  return {
    [DOMAIN]: {
      TXT: records.map((record) => (typeof record === 'string' ? characterStrings(record) : record)),
      A: ['192.0.2.80'],
    },
  };
}

const manyIncludes = (count: number): Record<string, ZoneName> => ({
  ...published(`v=spf1 ${OURS} ${Array.from({ length: count }, (_, i) => `include:s${i}.example.net`).join(' ')} -all`),
  ...Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`s${i}.example.net`, { TXT: [`v=spf1 ip4:203.0.113.${i} -all`] }]),
  ),
});

const CASES: readonly (readonly [claim: string, records: Record<string, ZoneName>, says: readonly string[]])[] = [
  ['a record that permits both our addresses and denies the rest is good', {}, ['good good', ...PASSING]],
  [
    'a record in several strings is read as one',
    published([`v=spf1 ${OURS.slice(0, 9)}`, `${OURS.slice(9)} -all`]),
    ['good good', ...PASSING],
  ],
  [
    'other texts of the domain do not matter',
    published('site-verification=1', `v=spf1 ${OURS} ~all`),
    ['good good', ...PASSING],
  ],
  ['no record is told', published('hello'), ['wrong missing important']],
  ['two records are told', published('v=spf1 -all', `V=SPF1 ${OURS} -all`), ['wrong several critical']],
  [
    'a record that does not begin as one is told',
    published('v=spf1; ip4:192.0.2.1 -all'),
    ['wrong malformed critical'],
  ],
  [
    'a typing error far behind a match is told',
    published(`v=spf1 ${OURS} ipv4:192.0.2.9 -all`),
    ['wrong invalid critical'],
  ],
  ['ten lookups are good', manyIncludes(10), ['good good', ...PASSING]],
  [
    'eleven lookups are told, also where our own addresses match before',
    manyIncludes(11),
    ['wrong too-many-lookups critical', ...PASSING],
  ],
  [
    'a record that includes itself is told, and ends',
    published('v=spf1 include:example.com -all'),
    ['wrong too-many-lookups critical'],
  ],
  [
    'three names that do not exist are told',
    published(`v=spf1 ${OURS} a:x1.example.net a:x2.example.net a:x3.example.net -all`),
    ['wrong too-many-void-lookups important', ...PASSING],
  ],
  ['+all is told', published('v=spf1 +all'), ['wrong permits-everybody critical', ...PASSING]],
  [
    'half of the address space is the same as all',
    published('v=spf1 ip4:192.0.0.0/2 ip6:::/0 -all'),
    ['wrong permits-everybody critical', ...PASSING],
  ],
  ['a record without all is told', published(`v=spf1 ${OURS}`), ['wrong no-denial important', ...PASSING]],
  ['?all is told', published(`v=spf1 ${OURS} ?all`), ['wrong no-denial important', ...PASSING]],
  [
    'ptr is advised against',
    published(`v=spf1 ${OURS} ptr:example.net -all`),
    ['good good', 'good ptr-mechanism advice', ...PASSING],
  ],
  [
    'an address of ours that is not permitted is told, the other is good',
    published('v=spf1 ip4:192.0.2.1 -all'),
    ['good good', 'good good', 'wrong not-permitted critical'],
  ],
  ['a domain that the DNS cannot tell is no fault', { [DOMAIN]: { fault: 'SERVFAIL' } }, ['cannot-tell cannot-tell']],
  [
    'an include that the DNS cannot tell is no fault',
    { ...published('v=spf1 include:s.example.net -all'), 's.example.net': { fault: 'REFUSED' } },
    ['cannot-tell cannot-tell'],
  ],
];

for (const [claim, records, says] of CASES) {
  test(`SPF: ${claim}`, async (t) => {
    const { results } = await world(t, records);
    const found = await results('spf');
    assert.deepEqual(said(found), says, JSON.stringify(found, null, 2));
  });
}

const HOSTS = [0, 1, 2].map((n) => `n${n}.example.net`);
const hostsWith = (zone: ZoneName): Record<string, ZoneName> => ({
  ...published(`v=spf1 ${HOSTS.map((name) => `a:${name}`).join(' ')} ${OURS} -all`),
  ...Object.fromEntries(HOSTS.map((name) => [name, zone])),
});

test('SPF: names without AAAA are void to IPv6 clients alone: wrong where this node is one, else advice', async (t) => {
  const { results, settings } = await world(t, hostsWith({ A: ['203.0.113.7'] }));
  settings['delivery.addressFamily'] = 'ipv4';
  const found = await results('spf');
  assert.deepEqual(said(found), ['good good', 'good too-many-void-lookups advice', 'good good']);
  assert.match(found[1]!.seen, /^3 names without records for clients over IPv6: /);
  settings['delivery.addressFamily'] = 'both';
  assert.deepEqual(said(await results('spf')), ['wrong too-many-void-lookups important', 'good good']);
  settings['delivery.addressFamily'] = 'ipv6';
  assert.deepEqual(said(await results('spf')), ['wrong too-many-void-lookups important']);
});

test('SPF: names without A are void to IPv4 clients alone', async (t) => {
  const { results, settings } = await world(t, hostsWith({ AAAA: ['2001:db8::7'] }));
  settings['delivery.addressFamily'] = 'ipv6';
  assert.deepEqual(said(await results('spf')), ['good good', 'good too-many-void-lookups advice', 'good good']);
  settings['delivery.addressFamily'] = 'ipv4';
  assert.deepEqual(said(await results('spf')), ['wrong too-many-void-lookups important']);
});

test('SPF: void names of the family of the smart host are wrong; where nothing is known, those of IPv4', async (t) => {
  const { results, settings } = await world(t, hostsWith({ A: ['203.0.113.7'] }));
  settings['delivery.smartHost'] = '203.0.113.7';
  assert.deepEqual(said(await results('spf')), ['good good', 'good too-many-void-lookups advice', 'good good']);
  settings['delivery.smartHost'] = '[2001:db8::1]:587';
  assert.equal(said(await results('spf'))[0], 'wrong too-many-void-lookups important');
  settings['delivery.smartHost'] = '';
  settings['smtp.publicAddresses'] = [];
  assert.deepEqual(said(await results('spf')), [
    'good good',
    'good too-many-void-lookups advice',
    'cannot-tell cannot-tell',
  ]);
});

test('SPF: lookups that only clients of a family meet that this node does not send from are advice', async (t) => {
  const names = Array.from({ length: 12 }, (_, i) => `s${i}.example.net`);
  const { results, settings } = await world(t, {
    ...published(`v=spf1 ${OURS} include:%{v}.example.net -all`),
    'in-addr.example.net': { TXT: ['v=spf1 ip4:203.0.113.1 -all'] },
    'ip6.example.net': { TXT: [characterStrings(`v=spf1 ${names.map((name) => `include:${name}`).join(' ')} -all`)] },
    ...Object.fromEntries(names.map((name) => [name, { TXT: ['v=spf1 ip4:203.0.113.1 -all'] }])),
  });
  settings['delivery.addressFamily'] = 'ipv4';
  assert.deepEqual(said(await results('spf')), ['good good', 'good too-many-lookups advice', 'good good']);
  settings['delivery.addressFamily'] = 'ipv6';
  assert.deepEqual(said(await results('spf')), ['wrong too-many-lookups critical', 'good good']);
});

test('SPF: what to publish names our addresses, and keeps what stands there', async (t) => {
  const { results, zone } = await world(t, published());
  assert.deepEqual((await results('spf'))[0]?.publish, [
    'example.com. 3600 IN TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"',
  ]);
  const second = await world(t, published('v=spf1 mx include:s.example.net ~all'));
  second.zone.records['s.example.net'] = { TXT: ['v=spf1 ip4:203.0.113.1 -all'] };
  second.zone.records['mx.example.com'] = { A: ['203.0.113.9'], AAAA: ['2001:db8::9'] };
  const denied = (await second.results('spf')).find(({ code }) => code === 'not-permitted');
  assert.deepEqual(denied?.publish, [
    'example.com. 3600 IN TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 mx include:s.example.net ~all"',
  ]);
  assert.ok(zone.queries.length > 0);
});

test('SPF: a smart host that passes is good; one that does not may send from elsewhere', async (t) => {
  const { results, settings, zone } = await world(t, published('v=spf1 ip4:203.0.113.5 -all'));
  zone.records['out.example.net'] = { A: ['203.0.113.5'] };
  zone.records['in.example.net'] = { A: ['203.0.113.6'] };
  settings['delivery.smartHost'] = 'out.example.net:587';
  assert.deepEqual(said(await results('spf')), ['good good', 'good good']);
  settings['delivery.smartHost'] = 'in.example.net';
  assert.deepEqual(said(await results('spf')), ['good good', 'cannot-tell cannot-tell']);
});

test('SPF: addresses that connections are bound to are those that must pass', async (t) => {
  const { results, settings } = await world(t, published('v=spf1 ip4:192.0.2.1 -all'));
  settings['delivery.addressFamily'] = 'ipv4';
  assert.deepEqual(said(await results('spf')), ['good good', 'good good']);
  settings['delivery.bindAddresses'] = ['8.8.4.4'];
  assert.deepEqual(said(await results('spf')), ['good good', 'wrong not-permitted critical']);
  settings['delivery.bindAddresses'] = ['10.0.0.5'];
  assert.deepEqual(said(await results('spf')), ['good good', 'good good']);
});
