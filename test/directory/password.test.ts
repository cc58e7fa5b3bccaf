import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { HashJob } from '../../src/directory/hash-jobs.ts';
import { createHashing, type Hashing } from '../../src/directory/hashing.ts';
import { HASHING } from '../../src/directory/limits.ts';
import { hashPassword, spendHash, verifyPassword } from '../../src/directory/password.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';

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
    run(job) {
      jobs.push('salt' in job ? { ...job, salt: ANY_SALT } : job);
      return hashing.run(job);
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

test('whoever guesses on and on has one password at a time looked at, until somebody knows one', async (t) => {
  const hashing = open(t);
  const job = { kind: 'scram', password: 'x', salt: Buffer.alloc(16), iterations: 1 } as const;
  const taken = async (): Promise<number> => {
    const all = Array.from({ length: HASHING.waiting + 5 }, () => hashing.run(job));
    return (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled').length;
  };
  for (let n = 1; n < HASHING.wrongInARow; n++) hashing.checked(false);
  assert.equal(await taken(), HASHING.waiting + 2);
  hashing.checked(false);
  assert.equal(await taken(), HASHING.waiting + 1);
  hashing.checked(true);
  assert.equal(await taken(), HASHING.waiting + 2);
});
