/** Several servers, of which some are silent, unwilling or broken, and outages of all of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createResolver } from '../../../src/world/resolver/stub.ts';
import { manualClock } from '../../support/clock.ts';
import { recordedEvents } from '../../support/events.ts';
import { seededRandom } from '../../support/random.ts';
import { startZone, type Zone } from '../../support/zone.ts';
import { elapse, setUp } from './support.ts';

test('a silent server costs one wait; the next answers, and is asked first from then on', async (t) => {
  const [dead, alive] = [
    await startZone(t),
    await startZone(t, { 'a.test': { A: ['192.0.2.1'] }, 'b.test': { A: ['192.0.2.2'] } }),
  ];
  dead.silent = true;
  const clock = manualClock();
  const services = { clock, random: seededRandom(), events: recordedEvents() };
  const resolver = createResolver(services, { servers: [dead.server, alive.server] });
  assert.equal((await elapse(clock, resolver.resolve('a.test', 'A'))).kind, 'found');
  assert.equal((await resolver.resolve('b.test', 'A')).kind, 'found');
  assert.equal(dead.queries.length, 1);
  assert.equal(services.events.count('dns.outage'), 0);
});

test('a server that refuses is passed over at once, without waiting', async (t) => {
  const unwilling = await startZone(t, { 'a.test': { fault: 'REFUSED' } });
  const willing = await startZone(t, { 'a.test': { A: ['192.0.2.1'] } });
  const services = { clock: manualClock(), random: seededRandom(), events: recordedEvents() };
  const resolver = createResolver(services, { servers: [unwilling.server, willing.server] });
  assert.equal((await resolver.resolve('a.test', 'A')).kind, 'found');
});

test('a server whose records break their type ended the question: the next one is asked, and alone it is cannot tell', async (t) => {
  const broken = [
    await startZone(t, { 'a.test': { fault: 'BAD-DATA', A: ['192.0.2.1', '192.0.2.2'] } }),
    await startZone(t, { 'a.test': { fault: 'BAD-DATA', A: ['192.0.2.1'] } }),
  ];
  const sound = await startZone(t, { 'a.test': { A: ['192.0.2.7'] } });
  const asking = (zones: readonly Zone[]) => {
    const services = { clock: manualClock(), random: seededRandom(), events: recordedEvents() };
    return createResolver(services, { servers: zones.map(({ server }) => server) }).resolve('a.test', 'A');
  };
  const answer = await asking([...broken, sound]);
  assert.deepEqual(answer.kind === 'found' && answer.records, ['192.0.2.7']);
  assert.deepEqual(await asking(broken), { kind: 'unknown', reason: 'malformed' });
});

test('an outage is one event when it begins and one when it ends, and leaves no timer behind', async (t) => {
  const { resolver, zone, clock, events } = await setUp(t, { 'n9.test': { A: ['192.0.2.1'] } });
  zone.silent = true;
  for (const name of ['n1.test', 'n2.test', 'n3.test', 'n4.test', 'n5.test']) {
    assert.deepEqual(await elapse(clock, resolver.resolve(name, 'A')), { kind: 'unknown', reason: 'timeout' });
  }
  assert.equal(events.count('dns.outage'), 1);
  zone.silent = false;
  assert.equal((await elapse(clock, resolver.resolve('n9.test', 'A'))).kind, 'found');
  await resolver.resolve('n10.test', 'A');
  assert.equal(events.count('dns.recovered'), 1);
  assert.equal(clock.pending(), 0);
});

test('a stranger on an idle node has names asked for that hang: no outage, and no look-up is waited for less', async (t) => {
  const hanging = Array.from({ length: 12 }, (_, n) => `n${n}.slow.test`);
  const names = Object.fromEntries(hanging.map((name) => [name, { fault: 'TIMEOUT' as const }]));
  const { resolver, clock, events } = await setUp(t, names);
  for (const name of hanging) await elapse(clock, resolver.resolve(name, 'A'));
  assert.equal(events.count('dns.outage'), 0);
  const before = clock.monotonic();
  await elapse(clock, resolver.resolve('n0.slow.test', 'TXT'));
  assert.ok(clock.monotonic() - before > 500);
});

test('while an outage is known a question waits half a second, and what answers again within it ends the outage', async (t) => {
  const { resolver, zone, clock, events } = await setUp(t, { 'alive.test': { A: ['192.0.2.1'] } });
  zone.silent = true;
  const first = ['n1.test', 'n2.test', 'n3.test'].map((name) => resolver.resolve(name, 'A'));
  await elapse(clock, Promise.all(first));
  const before = clock.monotonic();
  await elapse(clock, resolver.resolve('n4.test', 'A'));
  assert.equal(clock.monotonic() - before, 500);
  zone.silent = false;
  assert.equal((await resolver.resolve('alive.test', 'A')).kind, 'found');
  assert.equal(events.count('dns.recovered'), 1);
});

test('in an outage every server is asked, so the first that comes back ends it', async (t) => {
  const dead = await startZone(t);
  const back = await startZone(t, { 'alive.test': { A: ['192.0.2.1'] } });
  dead.silent = true;
  back.silent = true;
  const clock = manualClock();
  const services = { clock, random: seededRandom(), events: recordedEvents() };
  const resolver = createResolver(services, { servers: [dead.server, back.server] });
  const first = ['n1.test', 'n2.test', 'n3.test'].map((name) => resolver.resolve(name, 'A'));
  await elapse(clock, Promise.all(first));
  back.silent = false;
  assert.equal((await elapse(clock, resolver.resolve('alive.test', 'A'))).kind, 'found');
});

test('a name whose own servers are dead is no outage', async (t) => {
  const { resolver, events } = await setUp(
    t,
    Object.fromEntries([1, 2, 3, 4].map((n) => [`n${n}.test`, { fault: 'SERVFAIL' }])),
  );
  for (const n of [1, 2, 3, 4]) await resolver.resolve(`n${n}.test`, 'A');
  assert.equal(events.seen.length, 0);
});
