/** An account is frozen while somebody who signed in with it is sending: titled by the attacker's move. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessionGuard } from '../../src/guard/sessions.ts';
import type { Authority } from '../../src/wire/sasl/types.ts';
import { dialogue } from '../support/dialogue.ts';
import { listen, organisation, plain, secured } from '../support/receive/organisation.ts';

const SIGN_IN = `C: AUTH PLAIN ${plain('alice@example.com')}\n S: 235`;
const CONTENT = 'C: From: alice@example.com\\r\\n\\r\\nbuy\\r\\n.';
const BEGIN = 'C: MAIL FROM:<alice@example.com>\n S: 250\n C: RCPT TO:<bob@example.com>\n S: 250\n C: DATA\n S: 354';

test('the attacker has a recipient accepted before the account is frozen, and ends the message after', async (t) => {
  const people = await organisation(t);
  const node = await listen(t, people);
  const client = await dialogue(await secured(node), `${SIGN_IN}\n ${BEGIN}`);
  await people.make(people.admin.setState('alice@example.com', 'frozen'));
  await dialogue(client, `${CONTENT}\n S: 530 5.7.0\n C: MAIL FROM:<alice@example.com>\n S: 530 5.7.0`);
  client.close();
  assert.equal(node.committed.length, 0);
  assert.equal(node.events.count('smtp.auth.ended'), 1);
});

test('the attacker’s last BDAT chunk comes after the password was changed', async (t) => {
  const people = await organisation(t);
  const node = await listen(t, people);
  const envelope =
    'C: MAIL FROM:<alice@example.com>\n S: 250\n C: RCPT TO:<bob@example.com>\n S: 250\n C: BDAT 27\n C~ From: alice@example.com\\r\\n\\r\\n\n S: 250';
  const client = await dialogue(await secured(node), `${SIGN_IN}\n ${envelope}`);
  await people.make(people.admin.setPassword('alice@example.com', 'another horse battery'));
  await dialogue(client, 'C: BDAT 0 LAST\n S: 530 5.7.0');
  client.close();
  assert.equal(node.committed.length, 0);
});

test('a directory that cannot be read at the end of a message defers it, and accepts nothing unasked', async (t) => {
  const people = await organisation(t);
  let isBroken = false;
  const stands: Authority['stands'] = (account, proof) =>
    isBroken ? 'cannot-tell' : people.credentials.stands(account, proof);
  const node = await listen(t, { credentials: { ...people.credentials, stands } });
  const client = await dialogue(await secured(node), `${SIGN_IN}\n ${BEGIN}`);
  isBroken = true;
  await dialogue(client, `${CONTENT}\n S: 451 4.3.0`);
  isBroken = false;
  await dialogue(client, `${BEGIN}\n ${CONTENT}\n S: 250`);
  client.close();
  assert.equal(node.committed.length, 1);
});

for (const [when, said] of [
  ['idle', ''],
  ['between RCPT and DATA', '\n C: MAIL FROM:<alice@example.com>\n S: 250\n C: RCPT TO:<bob@example.com>\n S: 250'],
  ['in the middle of the content', `\n ${BEGIN}\n C~ From: alice@example.com\\r\\n\\r\\nbuy`],
] as const)
  test(`the session of an account that is frozen ends at once while it is ${when}`, async (t) => {
    const people = await organisation(t);
    const sessions = createSessionGuard(people.credentials.stands);
    const node = await listen(t, people, { sessions });
    const client = await dialogue(await secured(node), SIGN_IN + said);
    assert.equal(sessions.count('alice@example.com'), 1);
    await people.make(people.admin.setState('alice@example.com', 'frozen'));
    sessions.recheck();
    await dialogue(client, 'S: 421 4.7.0\n -- END');
    const { end, reason } = await node.sessionEnded();
    assert.deepEqual([end, /account/.test(reason ?? '')], ['refused', true]);
    assert.equal(node.committed.length, 0);
    assert.equal(sessions.count('alice@example.com'), 0);
  });

test('the session of an account that is frozen while its message is screened ends with the answer to it', async (t) => {
  const people = await organisation(t);
  const sessions = createSessionGuard(people.credentials.stands);
  const finish = Promise.withResolvers<undefined>();
  const asked = Promise.withResolvers<void>();
  const onMessage = () => {
    asked.resolve();
    return finish.promise;
  };
  const node = await listen(t, people, { sessions, onMessage });
  const client = await dialogue(await secured(node), `${SIGN_IN}\n ${BEGIN}`);
  await client.say('From: alice@example.com\r\n\r\nbuy\r\n.\r\n');
  await asked.promise;
  await people.make(people.admin.setState('alice@example.com', 'frozen'));
  sessions.recheck();
  await new Promise((resolve) => setImmediate(resolve));
  finish.resolve(undefined);
  await dialogue(client, 'S: 530 5.7.0\n S: 421 4.7.0\n -- END');
  assert.equal(node.committed.length, 0);
});

test('a session that closed is no longer in the registry', async (t) => {
  const people = await organisation(t);
  const sessions = createSessionGuard(people.credentials.stands);
  const node = await listen(t, people, { sessions });
  const client = await dialogue(await secured(node), SIGN_IN);
  client.close();
  await node.sessionEnded();
  assert.equal(sessions.count('alice@example.com'), 0);
});
