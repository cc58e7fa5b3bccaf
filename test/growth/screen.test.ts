/** Checks: what they read of a header or of an answer costs no more time an octet for being longer. */

import { readAuthor } from '../../src/protocol/mime/author.ts';
import { createDomainIndex } from '../../src/screen/checks/identity/domain-index.ts';
import { exposeAddress } from '../../src/screen/checks/identity/exposed.ts';
import { labelSkeleton, readHost } from '../../src/screen/checks/identity/hosts.ts';
import { decodeName, readName } from '../../src/screen/checks/identity/names.ts';
import { readProtectedUser } from '../../src/screen/checks/identity/people.ts';
import { createPersonIndex } from '../../src/screen/checks/identity/person-index.ts';
import { shownNames } from '../../src/screen/checks/identity/shown-names.ts';
import { plainDomain } from '../../src/screen/checks/origin/signatures/signatures.ts';
import { firstUntrustedHop } from '../../src/screen/checks/origin/spf/relays.ts';
import { senderByHeader } from '../../src/screen/sender/claims.ts';
import { headFacts } from '../../src/screen/session/header.ts';
import { networkSet } from '../../src/wire/network.ts';
import { octets, row, testGrowth, text } from '../support/growth-table.ts';
import { HEADER } from './limits.ts';

const NAMES = [
  text('a', HEADER),
  text('a ', HEADER),
  text('.', HEADER),
  text(' ', HEADER),
  text('@', HEADER),
  text('a@', HEADER),
  text('a.', HEADER, 'a@'),
  text('a@b.', HEADER),
  text('a@b.cd ', HEADER),
  text('\u0323\u0301', HEADER, 'a@b.cd'),
  text('\u3002', HEADER, 'a\uff20b'),
  text('=?', HEADER),
  text('=?a?q?', HEADER),
  text('=?a?q? ', HEADER),
  text('=?utf-8?q?a?= ', HEADER),
  text('\u200b', HEADER, 'a@b.cd'),
];
const DOMAINS = [
  text('a', HEADER),
  text('a.', HEADER, '', 'com'),
  text('a-', HEADER, '', 'a.com'),
  text('xn--', HEADER, '', '.com'),
  text('\u00fc', HEADER, '', '.com'),
  text('\u0323\u0301', HEADER, 'a', '.com'),
];
const RECEIVED = [
  octets('Received: from a (b [192.0.2.1])\r\n', HEADER),
  octets(' ', HEADER, 'Received: from a', '\r\n'),
  octets(' ', HEADER, 'Received: from', 'a\r\n'),
  octets('(', HEADER, 'Received: from a ', '\r\n'),
  octets('[1]  ', HEADER, 'Received: from a (', 'x)\r\n'),
  octets('a', HEADER, 'Received: from ', '\r\n'),
];
const relays = networkSet(['192.0.2.0/24']);
const PEOPLE = createPersonIndex(
  Array.from({ length: 1000 }, (_, i) => ({
    name: `Jane${i} Doe${i * 7}`,
    addresses: new Set([`j${i}@a.example`]),
    isNamed: true,
  })),
);
const OWN = createDomainIndex(['example.com', 'bank.example'], []);

testGrowth({
  'screen/checks/origin/spf/relays.ts firstUntrustedHop': row(
    (head: Buffer) => firstUntrustedHop(head, relays),
    ...RECEIVED,
  ),
  'screen/checks/origin/signatures/signatures.ts plainDomain': row(plainDomain, ...DOMAINS, text('.', HEADER)),
  'screen/session/header.ts headFacts': row(headFacts, ...RECEIVED, octets(' =?a?q?', HEADER, 'Subject:')),
  'screen/sender/claims.ts senderByHeader': row(
    (head: Buffer) =>
      senderByHeader(
        {
          claims: Array.from({ length: 20 }, (_, i) => ({
            domain: 'a.example',
            markers: [{ kind: 'tenant-marker' as const, header: `x-tenant-${i}`, value: 'x' }],
          })),
          otherwise: { kind: 'stranger' } as never,
        },
        { kind: 'domain-server' } as never,
        head,
      ),
    octets('X-Tenant-1: y\r\n', HEADER),
    octets('\r\n ', HEADER, 'X-Tenant-1: y', 'x\r\n'),
    octets(' ', HEADER, 'X-Tenant-1: y', 'x\r\n'),
  ),
  'screen/checks/identity/domain-index.ts createDomainIndex': row(
    (domain: string) => {
      const host = readHost(domain);
      return host && OWN.find({ ...host });
    },
    ...DOMAINS.map((pump) => ({ ...pump, largest: 250 })),
  ),
  'screen/checks/identity/exposed.ts exposeAddress': row(
    (name: string) => exposeAddress(name.slice(0, 500), 'a@b.example'),
    ...NAMES.map((pump) => ({ ...pump, largest: 500 })),
  ),
  'screen/checks/identity/hosts.ts readHost': row(readHost, ...DOMAINS),
  'screen/checks/identity/hosts.ts labelSkeleton': row(
    labelSkeleton,
    ...DOMAINS.map((pump) => ({ ...pump, largest: 500 })),
  ),
  'screen/checks/identity/names.ts decodeName': row(decodeName, ...NAMES),
  'screen/checks/identity/names.ts readName': row((name: string) => readName(decodeName(name)), ...NAMES),
  'screen/checks/identity/people.ts readProtectedUser': row(readProtectedUser, ...NAMES),
  'screen/checks/identity/person-index.ts createPersonIndex': row(
    (name: string) => PEOPLE.match(readName(decodeName(name)), 'x@y.example'),
    ...NAMES,
  ),
  'screen/checks/identity/shown-names.ts shownNames': row(
    (value: string) => shownNames(readAuthor([value])),
    text('a, ', HEADER),
    text('g:a;', HEADER),
    text('(a)', HEADER, 'b '),
  ),
});
