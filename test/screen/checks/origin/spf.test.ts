import assert from 'node:assert/strict';
import test from 'node:test';
import { LETTER, type Sending, sendFrom } from './origin.ts';

const publishes = (record: string): NonNullable<Sending['records']> => ({
  'remote.example': { MX: [[10, 'mx.remote.example']], TXT: [record] },
});

test('each result of SPF has its fate: only a hard fail is refused', async (t) => {
  const cases: readonly [string, NonNullable<Sending['records']>, string, string][] = [
    ['pass', publishes('v=spf1 ip4:198.51.100.0/24 -all'), 'pass', 'accept'],
    ['fail', publishes('v=spf1 -all'), 'fail', '550 5.7.23'],
    ['softfail', publishes('v=spf1 ~all'), 'softfail', 'accept'],
    ['neutral', publishes('v=spf1 ?all'), 'neutral', 'accept'],
    ['none', {}, 'none', 'accept'],
    ['permerror', publishes('v=spf1 frobnicate -all'), 'permerror', 'accept'],
    ['loop', publishes('v=spf1 include:remote.example -all'), 'permerror', 'accept'],
    ['temperror', { 'remote.example': { fault: 'SERVFAIL' } }, 'temperror', 'accept'],
    [
      'multi-string',
      { 'remote.example': { MX: [[1, 'mx.remote.example']], TXT: [['v=spf1 ip4:198.51.', '100.7 -all']] } },
      'pass',
      'accept',
    ],
    [
      'huge',
      {
        'remote.example': { MX: [[1, 'mx.remote.example']], TXT: [Array.from({ length: 80 }, () => 'x'.repeat(250))] },
      },
      'none',
      'accept',
    ],
  ];
  for (const [what, records, result, outcome] of cases) {
    const sent = await sendFrom(t, { records });
    assert.equal(sent.outcome, outcome, what);
    if (outcome === 'accept') {
      const { mail } = sent.evidence['spf'] as unknown as { mail: { result: string } };
      assert.equal(mail.result, result, what);
    }
  }
});

test('name servers that are silent never refuse: accepted, or 451 as set, and one event tells', async (t) => {
  const accepted = await sendFrom(t, { silent: true });
  assert.equal(accepted.outcome, 'accept');
  assert.equal(accepted.events.count('dns.outage'), 1);
  assert.equal(
    (await sendFrom(t, { silent: true, settings: { 'authentication.dnsTrouble': 'defer' } })).outcome,
    '451 4.4.3',
  );
});

test('the null reverse-path is judged by its HELO name, and a HELO that fails is refused if asked for', async (t) => {
  const records = { ...publishes('v=spf1 +all'), 'client.remote.example': { TXT: ['v=spf1 -all'] } };
  assert.equal((await sendFrom(t, { records, from: null })).outcome, '550 5.7.23');
  assert.deepEqual(
    (await sendFrom(t, { records })).codes.filter((code) => code.startsWith('spf ')),
    ['spf helo-fail'],
  );
  assert.equal((await sendFrom(t, { records, settings: { 'spf.heloAction': 'refuse' } })).outcome, '550 5.7.23');
});

test('an attacker says a HELO name with a final dot: it is the name that denies, is expanded and is listed', async (t) => {
  const records = { ...publishes('v=spf1 +all'), 'client.remote.example': { TXT: ['v=spf1 -all'] } };
  const dotted = { records, helo: 'Client.Remote.Example.' };
  assert.equal((await sendFrom(t, { ...dotted, from: null })).outcome, '550 5.7.23');
  assert.equal((await sendFrom(t, { ...dotted, settings: { 'spf.heloAction': 'refuse' } })).outcome, '550 5.7.23');
  const recorded = await sendFrom(t, dotted);
  assert.equal(recorded.evidence['spf']?.['helo'], 'client.remote.example');
  const lists = [{ list: 'block', kind: 'host', value: 'client.remote.example' }] as const;
  assert.equal((await sendFrom(t, { helo: 'client.remote.example.', lists })).outcome, '550 5.7.1');
  const expanded = {
    ...publishes('v=spf1 exists:%{h}.of.remote.example -all'),
    'client.remote.example.of.remote.example': { A: ['127.0.0.2'] },
  };
  assert.equal((await sendFrom(t, { records: expanded, helo: 'client.remote.example.' })).outcome, 'accept');
});

test('a HELO name with two final dots is none that has SPF', async (t) => {
  const records = { 'client.remote.example': { TXT: ['v=spf1 -all'] } };
  const sent = await sendFrom(t, { records, helo: 'client.remote.example..', from: null });
  assert.equal((sent.evidence['spf'] as unknown as { mail: { result: string } }).mail.result, 'none');
});

test('soft fails add to the score, and passes take from it, as set', async (t) => {
  const score = async (record: string, settings = {}) =>
    (await sendFrom(t, { records: publishes(record), settings })).findings.find(({ check }) => check === 'spf')?.score;
  assert.equal(await score('v=spf1 ~all'), 2);
  assert.equal(await score('v=spf1 +all', { 'spf.passCredit': 1 }), -1);
});

test('behind a trusted relay the first hop that is not ours is asked about', async (t) => {
  const settings = { 'authentication.trustedRelays': ['10.9.0.0/16'] };
  const received = (client: string) =>
    `Received: from outer.example (outer.example [${client}])\r\n by relay (Postfix); Sun, 4 Jan 2026 00:00:00 +0000\r\n`;
  const inner = 'Received: from relay.inner (relay.inner [10.9.1.1])\r\n by relay2; Sun, 4 Jan 2026 00:00:00 +0000\r\n';
  const records = publishes('v=spf1 ip4:203.0.113.9 -all');
  const send = (message: string) => sendFrom(t, { client: '10.9.0.2', settings, records, message });
  const passes = await send(inner + received('203.0.113.9') + LETTER);
  assert.equal(passes.outcome, 'accept');
  assert.equal(passes.evidence['spfRelayed']?.['client'], '203.0.113.9');
  assert.equal((await send(inner + received('203.0.113.66') + LETTER)).outcome, '550 5.7.23');
  assert.equal((await send(LETTER)).evidence['spfRelayed']?.['made'], false);
});

test('what the domain says of all its addresses is asked once, what depends on the address each time', async (t) => {
  const same = await sendFrom(t, { records: publishes('v=spf1 ip4:198.51.100.7 -all') });
  assert.equal(same.zone.queries.filter(({ name, type }) => name === 'remote.example' && type === 'TXT').length, 1);
  const personal = publishes('v=spf1 exists:%{l}.allow.remote.example -all');
  const records = { ...personal, 'bob.allow.remote.example': { A: ['127.0.0.2'] } };
  assert.equal((await sendFrom(t, { records })).outcome, 'accept');
  assert.equal((await sendFrom(t, { records, from: 'eve@remote.example' })).outcome, '550 5.7.23');
});
