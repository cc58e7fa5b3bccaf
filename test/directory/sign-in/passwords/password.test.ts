import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { EVENTS } from '../../../../src/catalogue.ts';
import { GUESSING, HASHING } from '../../../../src/directory/limits.ts';
import type { HashJob } from '../../../../src/directory/sign-in/passwords/hash-jobs.ts';
import { type Asker, createHashing, type Hashing } from '../../../../src/directory/sign-in/passwords/hashing.ts';
import { hashPassword, spendHash, verifyPassword } from '../../../../src/directory/sign-in/passwords/password.ts';
import { systemClock } from '../../../../src/world/clock.ts';
import { createEvents } from '../../../../src/world/events.ts';
import { systemRandom } from '../../../../src/world/random.ts';
import { manualClock } from '../../../support/clock.ts';
import { CHEAP } from '../../../support/credentials.ts';

const ANY_SALT = Buffer.alloc(16);

function open(t: TestContext) {
  const hashing = createHashing(systemClock);
  t.after(() => hashing.close());
  return hashing;
}

test('a password is kept as an Argon2id PHC string that any implementation can verify', async (t) => {
  const phc = await hashPassword(open(t), 'Passwo\u0308rt', systemRandom.bytes);
  const [, algorithm, version, parameters, salt, tag] = phc.split('$');
  assert.deepEqual([algorithm, version, parameters], ['argon2id', 'v=19', 'm=65536,t=3,p=1']);
  const again = argon2Sync('argon2id', {
    message: Buffer.from('Passwört'.normalize('NFC')),
    nonce: Buffer.from(salt!, 'base64'),
    memory: 65_536,
    passes: 3,
    parallelism: 1,
    tagLength: 32,
  });
  assert.equal(Buffer.from(tag!, 'base64').compare(again), 0);
});

test('a hash costs what RFC 9106 recommends where memory is scarce, which is above OWASP’s least', async (t) => {
  const { memoryKiB, passes, saltBytes, tagBytes } = open(t).cost;
  assert.ok(memoryKiB >= 64 * 1024 && passes >= 3);
  assert.ok(saltBytes >= 16 && tagBytes >= 32);
});

test('an unknown name takes the same work as a wrong password', async (t) => {
  const hashing = open(t);
  const jobs: HashJob[] = [];
  const seen: Hashing = {
    ...hashing,
    run(job, asker) {
      jobs.push('salt' in job ? { ...job, salt: ANY_SALT } : job);
      return hashing.run(job, asker);
    },
  };
  await verifyPassword(seen, 'wrong', await hashPassword(hashing, 'right', systemRandom.bytes));
  await spendHash(seen, 'wrong');
  assert.deepEqual(jobs[0], jobs[1]);
});

test('a password verifies in either Unicode spelling, and another does not', async (t) => {
  const hashing = open(t);
  const phc = await hashPassword(hashing, 'Passwo\u0308rt', systemRandom.bytes);
  assert.equal(await verifyPassword(hashing, 'Passw\u00f6rt', phc), true);
  assert.equal(await verifyPassword(hashing, 'Passwort', phc), false);
});

test('a stored hash that asks for gigabytes or is none is no match, and costs nothing', async (t) => {
  const hashing = open(t);
  for (const phc of ['', 'plain', '$argon2id$v=19$m=9999999,t=3,p=1$c2FsdHNhbHRzYWx0$dGFndGFndGFndGFndGFn'])
    assert.equal(await verifyPassword(hashing, 'x', phc), false);
});

test('two hashes are made at once and a bounded number waits: the rest of a flood is refused at once', async (t) => {
  const hashing = open(t);
  const job = { kind: 'scram', password: 'x', salt: Buffer.alloc(16), iterations: 1 } as const;
  const all = Array.from({ length: HASHING.waiting + HASHING.threads + 10 }, () => hashing.run(job));
  const results = await Promise.allSettled(all);
  assert.equal(HASHING.threads, 2);
  const refused = results.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 10);
  assert.equal((refused[0] as PromiseRejectedResult).reason.code, 'directory.busy');
});

const JOB = { kind: 'scram', password: 'x', salt: Buffer.alloc(16), iterations: 1 } as const;

/** What is told of guessing, and the order in which hashes ended. */
function guessed(t: TestContext) {
  const clock = manualClock();
  const events = createEvents(EVENTS, clock.now, assert.ifError);
  const told: string[] = [];
  events.attach((name) => told.push(name));
  const hashing = createHashing(clock, { events, cost: CHEAP });
  t.after(() => hashing.close());
  const guess = (times: number): void => {
    for (let n = 0; n < times; n++) hashing.checked(false);
  };
  return { clock, hashing, told, guess };
}

test('who floods with guesses fills a short line of strangers: a long one would have users wait in vain', async (t) => {
  const { hashing, guess } = guessed(t);
  guess(GUESSING.wrong);
  const all = Array.from({ length: HASHING.unknownWaiting + 10 }, () => hashing.run(JOB, 'unknown'));
  const refused = await Promise.all(all.splice(HASHING.unknownWaiting + 1).map((one) => one.catch(({ code }) => code)));
  assert.deepEqual(
    refused,
    Array.from({ length: 9 }, () => 'directory.busy'),
  );
  for (const one of all) one.catch(() => undefined);
});

test('who guesses on and on has one password at a time looked at, with a rest behind it; who is known waits for none of them', async (t) => {
  const { clock, hashing, guess } = guessed(t);
  guess(GUESSING.wrong);
  const ended: string[] = [];
  const run = (name: string, asker: Asker): Promise<unknown> => hashing.run(JOB, asker).then(() => ended.push(name));
  const unknown = ['first', 'second'].map((name) => run(name, 'unknown'));
  await clock.advance(100);
  await unknown[0];
  await Promise.all(['a', 'b', 'c'].map((name) => run(name, 'known')));
  assert.deepEqual(ended.slice(0, 1), ['first']);
  assert.deepEqual(ended.slice(1).sort(), ['a', 'b', 'c'], 'while the second rests');
  await clock.advance(HASHING.restTimes * 100);
  await unknown[1];
  assert.equal(ended.at(-1), 'second');
});

test('a guesser who fills the line from one site makes room for strangers elsewhere', async (t) => {
  const { hashing, guess } = guessed(t);
  guess(GUESSING.wrong);
  const said = (one: Promise<unknown>): Promise<string> =>
    one.then(
      () => 'looked at',
      ({ code }) => code,
    );
  const from = (site: string): Promise<string> => said(hashing.run(JOB, 'unknown', site));
  const flood = Array.from({ length: HASHING.unknownWaiting + 1 }, () => from('2001:db8:1::/48'));
  const others = ['192.0.2.0/24', '198.51.100.0/24'].map(from);
  // Its two newest; the rest still waits.
  assert.deepEqual(await Promise.all(flood.slice(-2)), ['directory.busy', 'directory.busy']);
  assert.equal(await from('2001:db8:1::/48'), 'directory.busy');
  await hashing.close();
  assert.ok((await Promise.all([...flood, ...others])).length > 0);
});

test('a rest is bounded, so that a busy machine lets strangers in, too', async (t) => {
  const { clock, hashing, guess } = guessed(t);
  guess(GUESSING.wrong);
  const first = hashing.run(JOB, 'unknown');
  await clock.advance(60_000 - 1);
  guess(1);
  await first;
  const second = hashing.run(JOB, 'unknown');
  await clock.advance(HASHING.restMostMs);
  await second;
});

test('guessing is told when it begins, and when strangers know their passwords again', (t) => {
  const { hashing, told, guess } = guessed(t);
  guess(GUESSING.wrong - 1);
  assert.deepEqual(told, []);
  guess(100);
  assert.deepEqual(told, ['sign-in.guessing']);
  hashing.checked(true);
  assert.deepEqual(told, ['sign-in.guessing'], 'a bot that knows one password does not end it');
  hashing.checked(true);
  assert.deepEqual(told, ['sign-in.guessing', 'sign-in.guessing-over']);
});

test('guessing is over after a quiet minute; a few wrong passwords in between are nothing', async (t) => {
  const { clock, told, guess } = guessed(t);
  guess(GUESSING.wrong);
  await clock.advance(GUESSING.quietMs);
  assert.deepEqual(told, ['sign-in.guessing', 'sign-in.guessing-over']);
  guess(GUESSING.wrong - 1);
  await clock.advance(GUESSING.quietMs);
  guess(GUESSING.wrong - 1);
  assert.deepEqual(told.length, 2);
});

test('without guesses who came first goes first, known or not', async (t) => {
  const hashing = open(t);
  // Of the two threads one is taken for a while: the other does the rest one by one.
  const long = hashing.run({ ...JOB, iterations: 1_000_000 });
  const ended: number[] = [];
  const askers: Asker[] = ['unknown', 'known', 'unknown', 'unknown', 'known', 'known', 'unknown', 'known'];
  await Promise.all(askers.map((asker, n) => hashing.run(JOB, asker).then(() => ended.push(n))));
  assert.deepEqual(ended, [...askers.keys()]);
  await long;
});

test('only strangers are counted: an owner who mistypes at home is no attack', async (t) => {
  const { hashing, told } = guessed(t);
  const phc = await hashPassword(hashing, 'right', systemRandom.bytes);
  for (let n = 0; n < GUESSING.wrong; n++) await verifyPassword(hashing, 'wrong', phc);
  assert.deepEqual(told, []);
});
