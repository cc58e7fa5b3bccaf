import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPosture } from '../../src/posture/posture.ts';
import type { PostureResult } from '../../src/posture/types.ts';
import { systemRandom } from '../../src/world/random.ts';
import { selfSigned } from '../../src/world/self-signed.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import type { ZoneName } from '../support/zone.ts';
import { HELO, IPV4, IPV6, KEY, LIST, PTR4, PTR6, said, world } from './support.ts';

type Case = readonly [claim: string, records: Record<string, ZoneName>, says: readonly string[]];

const HELO_CASES: readonly Case[] = [
  ['a name that leads to both our addresses is good', {}, ['good good']],
  ['a name that does not exist is told', { [HELO]: {} }, ['wrong missing critical']],
  [
    'a name that leads to one of our addresses only is told',
    { [HELO]: { A: [IPV4] } },
    ['wrong other-address important'],
  ],
  ['a name without SPF is advised one', { [HELO]: { A: [IPV4], AAAA: [IPV6] } }, ['good good', 'good no-spf advice']],
  ['a name that the DNS cannot tell is no fault', { [HELO]: { fault: 'SERVFAIL' } }, ['cannot-tell cannot-tell']],
];

const PTR_CASES: readonly Case[] = [
  ['names that lead back and are what we greet with are good', {}, ['good good', 'good good']],
  ['one of several names is enough', { [PTR4]: { PTR: ['www.example.com', HELO] } }, ['good good', 'good good']],
  ['an address without a name is told', { [PTR6]: {} }, ['good good', 'wrong missing critical']],
  [
    'a name that leads elsewhere is told',
    { [PTR4]: { PTR: ['a.isp.example'] }, 'a.isp.example': { A: ['198.51.100.1'] } },
    ['wrong not-confirmed critical', 'good good'],
  ],
  [
    'a name that leads back and is another than we greet with is told',
    { [PTR4]: { PTR: ['a.isp.example'] }, 'a.isp.example': { A: [IPV4] } },
    ['wrong other-name important', 'good good'],
  ],
  [
    'an address that the DNS cannot tell is no fault',
    { [PTR4]: { fault: 'SERVFAIL' } },
    ['cannot-tell cannot-tell', 'good good'],
  ],
  [
    'a name that the DNS cannot tell is no fault',
    { [PTR4]: { PTR: ['a.isp.example'] }, 'a.isp.example': { fault: 'SERVFAIL' } },
    ['cannot-tell cannot-tell', 'good good'],
  ],
];

const V4 = `1.2.0.192.${LIST}`;
const V6 = `${PTR6.replace('.ip6.arpa', '')}.${LIST}`;
const LIST_CASES: readonly Case[] = [
  ['addresses that a living list does not have are good', {}, ['good good', 'good good']],
  [
    'a listed IPv4 address is told',
    { [V4]: { A: ['127.0.0.2'], TXT: ['see https://list.test/1'] } },
    ['wrong listed critical', 'good good'],
  ],
  [
    'a listed IPv6 address is told, by its nibbles',
    { [V6]: { A: ['127.0.0.4'] } },
    ['good good', 'wrong listed critical'],
  ],
  [
    'the refusal of a list is no listing',
    { [V4]: { A: ['127.255.255.254'] } },
    ['cannot-tell cannot-tell', 'good good'],
  ],
  [
    'an address of a resolver that rewrites is no listing',
    { [V4]: { A: ['198.51.100.99'] } },
    ['cannot-tell cannot-tell', 'good good'],
  ],
  [
    'a list that does not answer for an address is no listing',
    { [V4]: { fault: 'SERVFAIL' } },
    ['cannot-tell cannot-tell', 'good good'],
  ],
  [
    'a list without its test entry proves nothing',
    { [`2.0.0.127.${LIST}`]: {} },
    ['cannot-tell cannot-tell', 'cannot-tell cannot-tell'],
  ],
  [
    'a list whose test entry is a refusal proves nothing',
    { [`2.0.0.127.${LIST}`]: { A: ['127.255.255.252'] } },
    ['cannot-tell cannot-tell', 'cannot-tell cannot-tell'],
  ],
  [
    'a list that does not answer proves nothing',
    { [`2.0.0.127.${LIST}`]: { fault: 'REFUSED' } },
    ['cannot-tell cannot-tell', 'cannot-tell cannot-tell'],
  ],
  [
    'a dead list that lists the whole world proves nothing',
    { [`1.0.0.127.${LIST}`]: { A: ['127.0.0.2'] }, [V4]: { A: ['127.0.0.2'] } },
    ['cannot-tell cannot-tell', 'cannot-tell cannot-tell'],
  ],
];

for (const [name, cases] of [
  ['helo', HELO_CASES],
  ['ptr', PTR_CASES],
  ['dns-list', LIST_CASES],
] as const) {
  for (const [claim, records, says] of cases) {
    test(`${name}: ${claim}`, async (t) => {
      const { results } = await world(t, records);
      const found = await results(name);
      assert.deepEqual(said(found), says, JSON.stringify(found, null, 2));
    });
  }
}

test('helo: what is missing comes as lines for the zone', async (t) => {
  const { results } = await world(t, { [HELO]: {} });
  assert.deepEqual((await results('helo'))[0]?.publish, [
    `${HELO}. 3600 IN A ${IPV4}`,
    `${HELO}. 3600 IN AAAA ${IPV6}`,
  ]);
});

test('helo: a name that only this machine knows is told', async (t) => {
  const { results, settings } = await world(t);
  for (const name of ['gateway', 'mail.local', 'gateway.lan', 'a b.example']) {
    settings['delivery.heloName'] = name;
    assert.deepEqual(said(await results('helo')), ['wrong not-public critical'], name);
  }
});

test('ptr: the record to publish is that of the address', async (t) => {
  const { results } = await world(t, { [PTR4]: {}, [PTR6]: {} });
  const publish = (await results('ptr')).flatMap((result) => result.publish);
  assert.deepEqual(publish, [`${PTR4}. 3600 IN PTR ${HELO}.`, `${PTR6}. 3600 IN PTR ${HELO}.`]);
});

test('ptr: where a smart host takes all mail, our own addresses do not matter', async (t) => {
  const { results, settings } = await world(t, { [PTR4]: {}, [PTR6]: {} });
  settings['delivery.smartHost'] = 'out.example.net';
  assert.deepEqual(said(await results('ptr')), ['good good']);
});

test('a node that knows no public address says so in place of guessing', async (t) => {
  const { results, settings, zone } = await world(t);
  settings['smtp.publicAddresses'] = [];
  for (const name of ['ptr', 'dns-list'] as const) {
    const [result] = await results(name);
    assert.equal(result?.verdict, 'cannot-tell');
    assert.match(result?.why ?? '', /smtp\.publicAddresses/);
  }
  assert.ok(!zone.queries.some((query) => query.name.startsWith('5.0.0.10.')), 'no private address is shown to a list');
});

test('dns-list: a listing says which list, what it means and what the list says', async (t) => {
  const { results, settings } = await world(t, {
    '2.0.0.127.zen.spamhaus.org': { A: ['127.0.0.2'] },
    '1.2.0.192.zen.spamhaus.org': { A: ['127.0.0.10', '127.0.0.4'], TXT: ['https://check.test/192.0.2.1'] },
  });
  settings['posture.dnsLists'] = ['Zen.spamhaus.org'];
  const [listed] = await results('dns-list');
  assert.match(listed!.seen, /zen\.spamhaus\.org.*PBL.*XBL.*https:\/\/check\.test/);
});

const DAYS = 86_400_000;

async function certificateOf(name: string, clock: ManualClock): Promise<string> {
  return (await selfSigned(name, clock, systemRandom)).certificate;
}

test('certificate: its names and its days are told, and one signed by itself is advised against', async (t) => {
  const made = await world(t);
  assert.deepEqual(said(await made.results('certificate')), ['good self-signed advice']);
  made.certificate = await certificateOf('other.example.com', manualClock(Date.now()));
  assert.deepEqual(said(await made.results('certificate')), ['wrong other-name important']);
  made.certificate = await certificateOf(HELO, manualClock(Date.now() - 20_000 * DAYS));
  assert.deepEqual(said(await made.results('certificate')), ['wrong expired critical']);
  made.certificate = await certificateOf(HELO, manualClock(Date.now() + 100 * DAYS));
  assert.deepEqual(said(await made.results('certificate')), ['wrong not-yet-valid critical']);
  for (const unreadable of [undefined, 'no PEM']) {
    made.certificate = unreadable;
    assert.deepEqual(said(await made.results('certificate')), ['cannot-tell cannot-tell']);
  }
});

test('reports may go out only where what their receivers look at is good', async (t) => {
  const made = await world(t);
  const codes = async (): Promise<readonly [string, readonly string[]]> => {
    const { verdict, because } = await made.posture.mayReport('example.com');
    return [verdict, because.map(({ test: name, code }: PostureResult) => `${name} ${code}`)];
  };
  assert.deepEqual(await codes(), ['good', []]);
  made.keys = [];
  assert.deepEqual(await codes(), ['wrong', ['dkim no-key']]);
  const unsure = await world(t, { [PTR4]: { fault: 'SERVFAIL' } });
  assert.equal((await unsure.posture.mayReport('example.com')).verdict, 'cannot-tell');
});

test('many domains are checked in the order given, a few at a time', async (t) => {
  const { posture } = await world(t);
  const domains = ['example.com', ...Array.from({ length: 30 }, (_, i) => `d${i}.example.net`)];
  const checked = await posture.checkDomains(domains);
  assert.deepEqual(
    checked.map(({ domain }) => domain),
    domains,
  );
  assert.equal(checked[0]?.verdict, 'good');
  assert.ok(checked.slice(1).every(({ verdict }) => verdict === 'wrong'));
});

test('a test whose questions never end says after a bounded time that it cannot tell', async () => {
  const clock = manualClock();
  const posture = createPosture({
    resolver: { resolve: () => new Promise(() => {}) },
    settings: {
      current: () => ({ version: 1, get: ({ default: value }) => value }),
      onChange: () => () => {},
    },
    clock,
    hostname: HELO,
    localAddresses: () => ['8.8.4.4'],
    certificate: async () => undefined,
    signingKeys: async () => [KEY],
    keepSights: async () => {},
    shieldPairs: async () => 0,
    localAllows: async () => ({ entries: [], count: 0, addresses: 0 }),
    sealedPasswords: async () => ({ logins: [], count: 0 }),
    doubtful: async () => ({ values: [], count: 0 }),
    signInNeedsTls: () => true,
    proxyOverlaps: async () => [],
    hiddenClients: () => [],
  });
  const checked = Promise.all([posture.checkDomain('example.com'), posture.checkNode()]);
  await clock.advance(20_000);
  for (const { verdict, results } of await checked) {
    assert.equal(verdict, 'cannot-tell');
    const asked = results.filter(({ test: name }) => !['relay', 'lists', 'sign-in'].includes(name));
    assert.ok(asked.every((result) => result.verdict === 'cannot-tell'));
  }
  assert.equal(clock.pending(), 0);
});
