/** Who gets a look-up when places are short: shares, the part of our own questions, and what is given up. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { DNS_LIMITS } from '../../../src/world/limits.ts';
import type { OwnedResolver } from '../../../src/world/resolver.ts';
import { withSlowNames } from '../../support/slow-zone.ts';
import { elapse, setUp } from './support.ts';

const CLIENTS = DNS_LIMITS.inFlight - DNS_LIMITS.reserved;

async function world(t: TestContext) {
  const records = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [`n${n}.good.test`, { A: ['192.0.2.1'] }] as const),
  );
  const made = await setUp(t, withSlowNames(records));
  let names = 0;
  /** `sessions` of one network that each ask for `each` names that hang. */
  const flood = (network: string, sessions: number, each: number) => {
    const views = Array.from({ length: sessions }, (_, s) => made.resolver.for([network, `${network}#${s}`]));
    const answers = views.map((view) => Promise.all(Array.from({ length: each }, () => hang(view))));
    const end = (): void => {
      for (const view of views) view.end();
    };
    return { views, answers: Promise.all(answers), end };
  };
  const hang = (view: OwnedResolver) => view.resolve(`n${names++}.slow.test`, 'TXT');
  return { ...made, flood, hang, used: () => made.resolver.places() };
}

const BUSY = DNS_LIMITS.sessionInFlight;

test('an attacker hangs every look-up that clients may have: our own questions are answered all the same', async (t) => {
  const { resolver, flood, used } = await world(t);
  const attack = flood('198.51.100.0/24', 100, BUSY);
  assert.equal(used().usedByClients, CLIENTS);
  const own = Array.from({ length: 60 }, (_, n) => resolver.resolve(`n${n}.good.test`, 'A'));
  for (const answer of await Promise.all(own)) assert.equal(answer.kind, 'found');
  attack.end();
  await attack.answers;
});

test('our own questions hang: clients keep their part', async (t) => {
  const { resolver, used, clock } = await world(t);
  const own = Array.from({ length: DNS_LIMITS.inFlight }, (_, n) => resolver.resolve(`own${n}.slow.test`, 'A'));
  assert.equal(used().used, CLIENTS);
  assert.equal((await resolver.for(['192.0.2.0/24', 's']).resolve('n1.good.test', 'A')).kind, 'found');
  await elapse(clock, Promise.all(own));
});

test('an attacker takes all places from one network: another network has one at once, and the attacker hears of it', async (t) => {
  const { resolver, flood, clock, events } = await world(t);
  const attack = flood('198.51.100.0/24', 100, BUSY);
  await clock.advance(DNS_LIMITS.cutAfterMs.larger);
  const honest = resolver.for(['192.0.2.0/24', 'honest']);
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => honest.resolve(`n${n}.good.test`, 'A')));
  assert.deepEqual(new Set(answers.map(({ kind }) => kind)), new Set(['found']));
  assert.equal(honest.isShort(), false);
  const [short] = events.seen.filter(({ name }) => name === 'dns.short');
  assert.match(JSON.stringify(short), /198\.51\.100\.0\/24/);
  attack.end();
  await attack.answers;
  assert.ok(attack.views.every((view) => view.isShort()));
});

test('an attacker comes from 400 networks with one look-up each: a newcomer gets the place of the oldest', async (t) => {
  const { resolver, flood, clock } = await world(t);
  const attacks = Array.from({ length: 400 }, (_, n) => flood(`2001:db8:${n}::/48`, 1, 1));
  await clock.advance(DNS_LIMITS.cutAfterMs.equal);
  const honest = resolver.for(['192.0.2.0/24', 'honest']);
  assert.equal((await elapse(clock, honest.resolve('n1.good.test', 'A'))).kind, 'found');
  assert.equal(honest.isShort(), false);
  for (const attack of attacks) attack.end();
  await Promise.all(attacks.map(({ answers }) => answers));
});

test('an attacker behind the address of everybody: a session with nothing in flight comes before one with sixteen', async (t) => {
  const { resolver, flood, clock } = await world(t);
  const attack = flood('172.17.0.1', 50, BUSY);
  await clock.advance(DNS_LIMITS.cutAfterMs.larger);
  const honest = resolver.for(['172.17.0.1', 'honest']);
  assert.equal((await honest.resolve('n1.good.test', 'A')).kind, 'found');
  attack.end();
  await attack.answers;
});

test('an attacker fills the queue: the longest line loses its newest, and a newcomer waits', async (t) => {
  const { flood, clock, used, resolver } = await world(t);
  const attack = flood('198.51.100.0/24', 100, BUSY);
  assert.equal(used().waiting, DNS_LIMITS.waiting);
  const refused = used().refused;
  const honest = resolver.for(['192.0.2.0/24', 'honest']);
  const answer = honest.resolve('n1.good.test', 'A');
  assert.equal(used().waiting, DNS_LIMITS.waiting);
  assert.equal(used().refused, refused + 1);
  assert.equal((await elapse(clock, answer)).kind, 'found');
  attack.end();
  await attack.answers;
});

test('an attacker asks first for the name that honest mail needs, behind a queue of its own: who has a place asks', async (t) => {
  const { resolver, flood, clock } = await world(t);
  const attack = flood('198.51.100.0/24', 100, BUSY);
  const late = resolver.for(['198.51.100.0/24', 'late']);
  const queued = late.resolve('n1.good.test', 'A');
  await clock.advance(DNS_LIMITS.cutAfterMs.larger);
  assert.equal((await resolver.for(['192.0.2.0/24', 'honest']).resolve('n1.good.test', 'A')).kind, 'found');
  assert.equal((await queued).kind, 'found');
  attack.end();
  await attack.answers;
});

test('what waits and what is in flight is given up with its transaction, unless another waits for it too', async (t) => {
  const { resolver, flood, used, zone } = await world(t);
  const attack = flood('198.51.100.0/24', 20, BUSY);
  attack.end();
  for (const answers of await attack.answers)
    for (const answer of answers) assert.deepEqual(answer, { kind: 'unknown', reason: 'too-many' });
  assert.deepEqual([used().used, used().waiting], [0, 0]);

  zone.silent = true;
  const [first, second] = [resolver.for(['192.0.2.0/24', 'a']), resolver.for(['203.0.113.0/24', 'b'])];
  const answers = [first.resolve('n1.good.test', 'A'), second.resolve('n1.good.test', 'A')];
  first.end();
  assert.equal((await answers[0]!).kind, 'unknown');
  assert.equal(used().used, 1);
  second.end();
  assert.equal((await answers[1]!).kind, 'unknown');
  assert.equal(used().used, 0);
  zone.silent = false;
  // What was given up says nothing of the name.
  assert.equal((await resolver.resolve('n1.good.test', 'A')).kind, 'found');
});

test('a look-up that is cut from its network goes on for another network that waits for it', async (t) => {
  const { resolver, zone, flood, clock } = await world(t);
  zone.silent = true;
  const [payer, shares] = [resolver.for(['198.51.100.0/24', 'payer']), resolver.for(['203.0.113.0/24', 's'])];
  const [cut, kept] = [payer.resolve('n1.good.test', 'A'), shares.resolve('n1.good.test', 'A')];
  const attack = flood('198.51.100.0/24', CLIENTS - 1, 1);
  await clock.advance(DNS_LIMITS.cutAfterMs.larger);
  zone.silent = false;
  const newcomer = resolver.for(['192.0.2.0/24', 'honest']).resolve('n2.good.test', 'A');
  assert.deepEqual(await cut, { kind: 'unknown', reason: 'too-many' });
  assert.equal((await newcomer).kind, 'found');
  assert.equal((await elapse(clock, kept)).kind, 'found');
  assert.deepEqual([payer.isShort(), shares.isShort()], [true, false]);
  attack.end();
  await attack.answers;
});

test('a stranger waits for a place no longer than a bound, and is told that it was our shortage', async (t) => {
  const { flood, clock } = await world(t);
  const first = flood('198.51.100.0/24', CLIENTS, 1);
  const second = flood('198.51.100.0/24', 1, 1);
  // All of one network and no session has more than another: nobody is cut before its time.
  const answers = await elapse(clock, second.answers);
  assert.equal(answers.flat()[0]!.kind, 'unknown');
  first.end();
  await first.answers;
});

test('a question beyond the ordinary waits for the one before it', async (t) => {
  const { resolver, clock, used } = await world(t);
  const view = resolver.for(['192.0.2.0/24', 's']);
  for (let n = 0; n < DNS_LIMITS.ordinaryQuestions; n++) await view.resolve(`n${n}.good.test`, 'A');
  const more = [1, 2, 3].map((n) => view.resolve(`more${n}.slow.test`, 'A'));
  await clock.advance(1);
  assert.equal(used().used, 1);
  assert.equal(view.questions(), DNS_LIMITS.ordinaryQuestions + 3);
  view.end();
  await Promise.all(more);
});

test('a part of the work that ends gives back its own places alone, and is no shortage of the rest', async (t) => {
  const { resolver, used, hang } = await world(t);
  const view = resolver.for(['192.0.2.0/24', 's']);
  const [part, other] = [view.part(), view.part()];
  const ended = [hang(part), hang(part)];
  const rest = [hang(other), hang(view)];
  assert.equal(used().used, 4);
  part.end();
  assert.equal(used().used, 2);
  for (const answer of await Promise.all(ended)) assert.equal(answer.kind, 'unknown');
  assert.equal((await hang(part)).kind, 'unknown');
  assert.equal((await other.resolve('n1.good.test', 'A')).kind, 'found');
  assert.deepEqual([view.isShort(), other.isShort()], [false, false]);
  assert.equal(view.questions(), other.questions());
  view.end();
  await Promise.all(rest);
  assert.deepEqual([used().used, view.isShort()], [0, true]);
});

test('names that hang are no outage while others are answered', async (t) => {
  const { resolver, clock, events, hang } = await world(t);
  const hanging = Array.from({ length: 5 }, (_, n) => hang(resolver.for(['192.0.2.0/24', `s${n}`])));
  await clock.advance(5000);
  assert.equal((await resolver.resolve('n1.good.test', 'A')).kind, 'found');
  await elapse(clock, Promise.all(hanging));
  assert.equal(events.count('dns.outage'), 0);
});

test('a shortage is one event when it begins and one when it is over', async (t) => {
  const { flood, clock, events } = await world(t);
  const attack = flood('198.51.100.0/24', 100, BUSY);
  await clock.advance(3000);
  attack.end();
  await attack.answers;
  assert.deepEqual([events.count('dns.short'), events.count('dns.short-ended')], [1, 0]);
  await clock.advance(2 * DNS_LIMITS.shortageOverMs);
  assert.deepEqual([events.count('dns.short'), events.count('dns.short-ended')], [1, 1]);
  assert.equal(clock.pending(), 0);
});
