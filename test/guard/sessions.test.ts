/** The registry of signed-in sessions: who is ended when accounts change, and who stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessionGuard } from '../../src/guard/sessions.ts';
import type { Authority } from '../../src/wire/sasl/types.ts';

type Answer = Awaited<ReturnType<Authority['stands']>>;

function guarded(answers: Record<string, Answer>) {
  const ended: string[] = [];
  let asked = 0;
  const guard = createSessionGuard((account, proof) => {
    asked++;
    return answers[proof?.kind === 'app-password' ? `${account} ${proof.digest}` : account] ?? 'yes';
  });
  const enter = (account: string, digest?: string) =>
    guard.enter({
      account,
      proof: digest === undefined ? undefined : { kind: 'app-password', digest },
      end: () => void ended.push(digest === undefined ? account : `${account} ${digest}`),
    });
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { guard, enter, ended, settled, asked: () => asked };
}

test('every session of a frozen account ends, once, and those of others stay', async () => {
  const answers: Record<string, Answer> = {};
  const { guard, enter, ended, settled } = guarded(answers);
  enter('alice@example.com');
  enter('alice@example.com');
  enter('bob@example.com');
  answers['alice@example.com'] = 'no';
  guard.recheck();
  guard.recheck();
  await settled();
  assert.deepEqual(ended, ['alice@example.com', 'alice@example.com']);
  assert.deepEqual([guard.count('alice@example.com'), guard.count('bob@example.com')], [0, 1]);
});

test('of an account only the sessions end whose app password was removed', async () => {
  const { guard, enter, ended, settled } = guarded({ 'alice@example.com phone': 'no' });
  enter('alice@example.com', 'phone');
  enter('alice@example.com', 'laptop');
  guard.recheck();
  await settled();
  assert.deepEqual(ended, ['alice@example.com phone']);
});

test('a session that left is not ended, and a database that cannot be read ends nobody', async () => {
  const answers: Record<string, Answer> = { 'alice@example.com': 'no', 'bob@example.com': 'cannot-tell' };
  const { guard, enter, ended, settled } = guarded(answers);
  const leave = enter('alice@example.com');
  enter('bob@example.com');
  leave();
  leave();
  guard.recheck();
  await settled();
  assert.deepEqual(ended, []);
  assert.equal(guard.count('bob@example.com'), 1);
});

test('a change while sessions are being asked about asks about all of them again', async () => {
  const answers: Record<string, Answer> = {};
  const { guard, enter, ended, settled } = guarded(answers);
  for (let i = 0; i < 120; i++) enter(`user${i}@example.com`);
  guard.recheck();
  answers['user0@example.com'] = 'no';
  guard.recheck();
  await settled();
  assert.deepEqual(ended, ['user0@example.com']);
});

test('nobody signed in costs no question', async () => {
  const { guard, settled, asked } = guarded({});
  guard.recheck();
  await settled();
  assert.equal(asked(), 0);
});
