import assert from 'node:assert/strict';
import test from 'node:test';
import { createResolver } from '../../../src/world/resolver/stub.ts';
import { manualClock } from '../../support/clock.ts';
import { recordedEvents } from '../../support/events.ts';
import { seededRandom } from '../../support/random.ts';
import type { Zone } from '../../support/zone.ts';
import { elapse, setUp } from './support.ts';

const lookups = (zone: Zone): string[] =>
  zone.queries.map(({ name, type, transport }) => `${name} ${type} ${transport}`);

test('every type comes out as its value', async (t) => {
  const certificate = Buffer.from('00ff10', 'hex');
  const { resolver } = await setUp(t, {
    'example.com': {
      A: ['192.0.2.1', '192.0.2.2'],
      AAAA: ['2001:db8::1', '2001:0:0:1::', '::', '2001:db8:1:2:3:4:5:6'],
      MX: [[10, 'MX.example.com']],
      TXT: ['v=spf1 -all', ['two ', 'strings']],
      NS: ['ns.example.com'],
    },
    '1.2.0.192.in-addr.arpa': { PTR: ['host.example.com'] },
    '_25._tcp.mx.example.com': { TLSA: [{ usage: 3, selector: 1, matchingType: 1, certificate }] },
  });
  const records = async (...[name, type]: Parameters<typeof resolver.resolve>): Promise<readonly unknown[]> => {
    const answer = await resolver.resolve(name, type);
    assert.equal(answer.kind, 'found');
    return answer.records;
  };
  assert.deepEqual(await records('example.com', 'A'), ['192.0.2.1', '192.0.2.2']);
  assert.deepEqual(await records('example.com', 'AAAA'), ['2001:db8::1', '2001:0:0:1::', '::', '2001:db8:1:2:3:4:5:6']);
  assert.deepEqual(await records('EXAMPLE.com', 'MX'), [{ preference: 10, exchange: 'mx.example.com' }]);
  const texts = (await records('example.com', 'TXT')) as Uint8Array[][];
  assert.deepEqual(
    texts.map((strings) => strings.map((string) => Buffer.from(string).toString())),
    [['v=spf1 -all'], ['two ', 'strings']],
  );
  assert.deepEqual(await records('example.com', 'NS'), ['ns.example.com']);
  assert.deepEqual(await records('1.2.0.192.in-addr.arpa', 'PTR'), ['host.example.com']);
  assert.deepEqual(await records('_25._tcp.mx.example.com', 'TLSA'), [
    { usage: 3, selector: 1, matching: 1, data: new Uint8Array(certificate) },
  ]);
});

test('a name that does not exist and a name without such records are different answers', async (t) => {
  const { resolver } = await setUp(t, { 'example.com': { A: ['192.0.2.1'] } });
  const denied = { kind: 'none', ttlSeconds: 60, authentic: false };
  assert.deepEqual(await resolver.resolve('nowhere.example.com', 'A'), { ...denied, nxdomain: true });
  assert.deepEqual(await resolver.resolve('example.com', 'MX'), { ...denied, nxdomain: false });
});

test('what cannot be a name is denied without asking anyone', async (t) => {
  const { resolver, zone } = await setUp(t, {});
  for (const name of [
    '',
    '.',
    'a..b',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}com`,
    'bücher.example',
    'a b.com',
    'a\\.b.com',
  ]) {
    const answer = await resolver.resolve(name, 'A');
    assert.equal(answer.kind === 'none' && answer.nxdomain, true, name);
  }
  assert.equal(zone.queries.length, 0);
});

test('an answer is kept for its TTL, and says how much of it is left', async (t) => {
  const { resolver, zone, clock } = await setUp(t, { 'example.com': { A: ['192.0.2.1'], ttl: 100 } });
  await resolver.resolve('example.com', 'A');
  await clock.advance(60_000);
  const kept = await resolver.resolve('Example.COM', 'A');
  assert.equal(kept.kind === 'found' && kept.ttlSeconds, 40);
  assert.equal(zone.queries.length, 1);
  await clock.advance(40_000);
  await resolver.resolve('example.com', 'A');
  assert.equal(zone.queries.length, 2);
});

test('a TTL of a week is cut to a day', async (t) => {
  const { resolver } = await setUp(t, { 'example.com': { A: ['192.0.2.1'], ttl: 604_800 } });
  const answer = await resolver.resolve('example.com', 'A');
  assert.equal(answer.kind === 'found' && answer.ttlSeconds, 86_400);
});

test('a denial is kept as long as the SOA says', async (t) => {
  const { resolver, zone, clock } = await setUp(t, {});
  await resolver.resolve('gone.test', 'A');
  await clock.advance(59_000);
  await resolver.resolve('gone.test', 'A');
  assert.equal(zone.queries.length, 1);
  await clock.advance(1000);
  await resolver.resolve('gone.test', 'A');
  assert.equal(zone.queries.length, 2);
});

test('a denial without a SOA, as small name servers say it, is kept for a burst and no longer', async (t) => {
  const { resolver, zone, clock } = await setUp(t, { 'bare.test': { fault: 'BARE-DENIAL' } });
  await resolver.resolve('bare.test', 'A');
  await clock.advance(4000);
  const kept = await resolver.resolve('bare.test', 'A');
  assert.deepEqual(kept, { kind: 'none', nxdomain: true, ttlSeconds: 1, authentic: false });
  assert.equal(zone.queries.length, 1);
  await clock.advance(1000);
  await resolver.resolve('bare.test', 'A');
  assert.equal(zone.queries.length, 2);
});

test('who asks anew hears of a record that was just published, and then all know it', async (t) => {
  const { resolver, zone } = await setUp(t, {});
  assert.equal((await resolver.resolve('new.test', 'A')).kind, 'none');
  zone.records['new.test'] = { A: ['192.0.2.1'] };
  assert.equal((await resolver.resolve('new.test', 'A')).kind, 'none');
  assert.equal((await resolver.fresh.resolve('new.test', 'A')).kind, 'found');
  assert.equal((await resolver.resolve('new.test', 'A')).kind, 'found');
  assert.equal(zone.queries.length, 2);
});

test('what is to be forgotten is asked anew, answers and failures alike', async (t) => {
  const { resolver, zone } = await setUp(t, {
    'moved.test': { A: ['192.0.2.1'] },
    'broken.test': { fault: 'SERVFAIL' },
  });
  await resolver.resolve('moved.test', 'A');
  await resolver.resolve('broken.test', 'A');
  zone.records['moved.test'] = { A: ['192.0.2.2'] };
  zone.records['broken.test'] = { A: ['192.0.2.3'] };
  resolver.forget();
  const answers = await Promise.all([resolver.resolve('moved.test', 'A'), resolver.resolve('broken.test', 'A')]);
  assert.deepEqual(
    answers.map((answer) => answer.kind === 'found' && answer.records[0]),
    ['192.0.2.2', '192.0.2.3'],
  );
});

test('a failure is kept for seconds only', async (t) => {
  const { resolver, zone, clock } = await setUp(t, { 'broken.test': { fault: 'SERVFAIL' } });
  const failed = { kind: 'unknown', reason: 'servfail' };
  assert.deepEqual(await resolver.resolve('broken.test', 'A'), failed);
  assert.deepEqual(await resolver.resolve('broken.test', 'A'), failed);
  assert.equal(zone.queries.length, 1);
  await clock.advance(5000);
  await resolver.resolve('broken.test', 'A');
  assert.equal(zone.queries.length, 2);
});

test('equal questions at one time are one query', async (t) => {
  const { resolver, zone } = await setUp(t, { 'example.com': { A: ['192.0.2.1'] } });
  const answers = await Promise.all(Array.from({ length: 50 }, () => resolver.resolve('example.com', 'A')));
  assert.equal(answers.filter(({ kind }) => kind === 'found').length, 50);
  assert.equal(zone.queries.length, 1);
});

test('an asker who gives up does not take the answer from the others', async (t) => {
  const { resolver, zone } = await setUp(t, { 'example.com': { A: ['192.0.2.1'] } });
  const abort = new AbortController();
  const impatient = resolver.resolve('example.com', 'A', abort.signal);
  const patient = resolver.resolve('example.com', 'A');
  abort.abort(new Error('enough'));
  await assert.rejects(impatient, /enough/);
  assert.equal((await patient).kind, 'found');
  await assert.rejects(resolver.resolve('example.com', 'A', abort.signal), /enough/);
  assert.equal(zone.queries.length, 1);
});

test('aliases are followed, also where the server leaves that to us, and the shortest TTL counts', async (t) => {
  const { resolver, zone } = await setUp(t, {
    'www.example.com': { CNAME: 'host.example.com', ttl: 30 },
    'far.example.com': { CNAME: 'host.example.com', ttl: 30, fault: 'ALIAS-ONLY' },
    'host.example.com': { A: ['192.0.2.7'] },
  });
  const answer = await resolver.resolve('www.example.com', 'A');
  assert.deepEqual(answer, { kind: 'found', records: ['192.0.2.7'], ttlSeconds: 30, authentic: false });
  assert.deepEqual(await resolver.resolve('far.example.com', 'A'), answer);
  assert.deepEqual(lookups(zone), ['www.example.com A udp', 'far.example.com A udp', 'host.example.com A udp']);
  const alias = await resolver.resolve('www.example.com', 'CNAME');
  assert.deepEqual(alias.kind === 'found' && alias.records, ['host.example.com']);
});

test('an alias loop, and a chain of eleven, end as cannot tell', async (t) => {
  const chain = Object.fromEntries(
    Array.from({ length: 12 }, (_, hop) => [`h${hop}.test`, { CNAME: `h${hop + 1}.test` }]),
  );
  const { resolver } = await setUp(t, {
    'loop.test': { fault: 'CNAME-LOOP' },
    ...chain,
    'h12.test': { A: ['192.0.2.1'] },
  });
  assert.deepEqual(await resolver.resolve('loop.test', 'A'), { kind: 'unknown', reason: 'malformed' });
  assert.deepEqual(await resolver.resolve('h1.test', 'A'), { kind: 'unknown', reason: 'malformed' });
  assert.equal((await resolver.resolve('h2.test', 'A')).kind, 'found');
});

test('a truncated answer is fetched by TCP, even one of 60 kB', async (t) => {
  const { resolver, zone } = await setUp(t, {
    'cut.test': { fault: 'TRUNCATED', A: ['192.0.2.1'] },
    'huge.test': { fault: 'HUGE' },
  });
  assert.equal((await resolver.resolve('cut.test', 'A')).kind, 'found');
  const huge = await resolver.resolve('huge.test', 'TXT');
  assert.equal(huge.kind === 'found' && huge.records.length, 220);
  assert.deepEqual(lookups(zone), ['cut.test A udp', 'cut.test A tcp', 'huge.test TXT udp', 'huge.test TXT tcp']);
});

test('a forger who guesses the port but not the id or the question is not heard', async (t) => {
  const { resolver, clock } = await setUp(t, {
    'wrong-id.test': { fault: 'WRONG-ID', A: ['203.0.113.66'] },
    'wrong-question.test': { fault: 'WRONG-QUESTION', A: ['203.0.113.66'] },
  });
  for (const name of ['wrong-id.test', 'wrong-question.test']) {
    assert.deepEqual(await elapse(clock, resolver.resolve(name, 'A')), { kind: 'unknown', reason: 'timeout' });
  }
});

test('each query has a port and an id of its own', async (t) => {
  const names = Array.from({ length: 40 }, (_, index) => `n${index}.test`);
  const { resolver, zone } = await setUp(t, Object.fromEntries(names.map((name) => [name, { A: ['192.0.2.1'] }])));
  for (const name of names) await resolver.resolve(name, 'A');
  assert.ok(new Set(zone.queries.map(({ port }) => port)).size > 30);
  assert.ok(new Set(zone.queries.map(({ id }) => id)).size > 30);
});

test('with mixed case the letters of the question are a secret that the answer must repeat', async (t) => {
  const name = 'a-name-of-many-letters.test';
  const { resolver, zone } = await setUp(t, { [name]: { A: ['192.0.2.1'] } }, { mixCase: true });
  assert.equal((await resolver.resolve(name, 'A')).kind, 'found');
  assert.notEqual(zone.queries[0]?.name, name);
  assert.equal(zone.queries[0]?.name.toLowerCase(), name);
});

test('a server that knows no EDNS is asked without it for a quarter of an hour, then with it again', async (t) => {
  const { resolver, zone, clock } = await setUp(t, { 'old.test': { fault: 'NO-EDNS', A: ['192.0.2.1'] } });
  const asked = (): boolean[] => zone.queries.map(({ edns }) => edns);
  assert.equal((await resolver.resolve('old.test', 'A')).kind, 'found');
  await resolver.resolve('old.test', 'MX');
  assert.deepEqual(asked(), [true, false, false]);
  await clock.advance(15 * 60_000);
  zone.records['old.test'] = { AAAA: ['2001:db8::1'] };
  assert.equal((await resolver.resolve('old.test', 'AAAA')).kind, 'found');
  await resolver.resolve('old.test', 'TXT');
  assert.deepEqual(asked().slice(3), [true, true]);
});

test('a stranger’s name that gets FORMERR whatever is asked turned EDNS off for all: the next name is asked with it', async (t) => {
  const { resolver, zone } = await setUp(t, {
    'broken.test': { fault: 'FORMERR' },
    'fine.test': { A: ['192.0.2.1'] },
  });
  assert.deepEqual(await resolver.resolve('broken.test', 'A'), { kind: 'unknown', reason: 'servfail' });
  assert.equal((await resolver.resolve('fine.test', 'A')).kind, 'found');
  assert.deepEqual(
    zone.queries.map(({ edns }) => edns),
    [true, false, true],
  );
});

test('a broken or lame answer is cannot tell, never no', async (t) => {
  const { resolver } = await setUp(t, {
    'garbage.test': { fault: 'GARBAGE', A: ['192.0.2.1'] },
    'lame.test': { fault: 'LAME' },
    'refused.test': { fault: 'REFUSED' },
  });
  assert.deepEqual(await resolver.resolve('garbage.test', 'A'), { kind: 'unknown', reason: 'malformed' });
  assert.deepEqual(await resolver.resolve('lame.test', 'A'), { kind: 'unknown', reason: 'servfail' });
  assert.deepEqual(await resolver.resolve('refused.test', 'A'), { kind: 'unknown', reason: 'refused' });
});

test('the AD bit counts along the whole chain of aliases', async (t) => {
  const { resolver } = await setUp(t, {
    'signed.test': { A: ['192.0.2.1'], authentic: true },
    'alias.test': { CNAME: 'signed.test' },
  });
  const signed = await resolver.resolve('signed.test', 'A');
  const alias = await resolver.resolve('alias.test', 'A');
  assert.equal(signed.kind === 'found' && signed.authentic, true);
  assert.equal(alias.kind === 'found' && alias.authentic, false);
});

test('nobody listening is unreachable, at once', async () => {
  const services = { clock: manualClock(), random: seededRandom(), events: recordedEvents() };
  const resolver = createResolver(services, { servers: [{ address: '127.0.0.1', port: 9 }] });
  assert.deepEqual(await resolver.resolve('a.test', 'A'), { kind: 'unknown', reason: 'unreachable' });
});

test('of two thousand questions at one time a bounded number waits, the rest is told so', async (t) => {
  const { resolver, zone, clock } = await setUp(t, {});
  zone.silent = true;
  const answers = Array.from({ length: 2000 }, (_, index) => resolver.resolve(`n${index}.test`, 'A'));
  assert.deepEqual(await answers.at(-1), { kind: 'unknown', reason: 'too-many' });
  zone.silent = false;
  await elapse(clock, Promise.all(answers));
});
