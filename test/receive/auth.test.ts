/** Signing in: what a mail program experiences of AUTH (RFC 4954), mechanism by mechanism. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { dialogue } from '../support/dialogue.ts';
import {
  base64,
  listen,
  NO_FLOOR,
  organisation,
  PASSWORD,
  plain,
  scram,
  secured,
} from '../support/receive/organisation.ts';

test('a user signs in by PLAIN, with the credentials at once or when asked, and then sends', async (t) => {
  const node = await listen(t, await organisation(t));
  for (const said of [
    `C: AUTH PLAIN ${plain('Alice@Example.com')}`,
    `C: AUTH PLAIN\n S: 334\n C: ${plain('alice@example.com')}`,
  ]) {
    const client = await secured(node);
    await dialogue(
      client,
      `C: MAIL FROM:<alice@example.com>\n S: 530 5.7.0\n ${said}\n S: 235 2.7.0\n C: MAIL FROM:<alice@example.com>\n S: 250`,
    );
    client.close();
  }
  assert.equal(node.seen.at(-1)?.account, 'alice@example.com');
});

test('a user signs in by LOGIN, an app password and CRAM-MD5', async (t) => {
  const people = await organisation(t);
  const node = await listen(t, people);
  const client = await secured(node);
  await dialogue(
    client,
    `C: AUTH LOGIN\n S: 334 .. VXNlcm5hbWU6\n C: ${base64('alice@example.com')}\n S: 334 .. UGFzc3dvcmQ6\n C: ${base64(PASSWORD)}\n S: 235`,
  );
  client.close();

  const { password, change } = await people.admin.addAppPassword('alice@example.com', 'phone');
  await people.make(change);
  await dialogue(
    await secured(node),
    `C: AUTH PLAIN ${plain('alice@example.com', password)}\n S: 235\n C: QUIT\n S: 221`,
  );
  await people.make(people.admin.removeAppPassword('alice@example.com', 'phone'));
  await dialogue(
    await secured(node),
    `C: AUTH PLAIN ${plain('alice@example.com', password)}\n S: 535\n C: QUIT\n S: 221`,
  );

  const cram = await secured(node);
  await cram.say('AUTH CRAM-MD5\r\n');
  const challenge = Buffer.from(String((await cram.hear()).text), 'base64');
  const digest = createHmac('md5', PASSWORD).update(challenge).digest('hex');
  await dialogue(cram, `C: ${base64(`alice@example.com ${digest}`)}\n S: 235`);
  cram.close();
});

test('a user signs in by SCRAM with and without channel binding, and the server proves itself too', async (t) => {
  const node = await listen(t, await organisation(t));
  for (const plus of [false, true]) {
    const client = await secured(node);
    assert.equal(await scram(client, 'alice@example.com', plus), 235);
    client.close();
  }
});

test('AUTH before TLS is neither offered nor taken, and what follows it is written nowhere', async (t) => {
  const node = await listen(t, await organisation(t));
  const client = await dialogue(
    { port: node.port },
    `S: 220\n C: EHLO c\n S: 250\n C: AUTH PLAIN\n S: 538 5.7.11\n C: ${plain('alice@example.com')}\n S: 500\n C: QUIT\n S: 221`,
  );
  client.close();
  const { dialogue: said } = await node.sessionEnded();
  assert.doesNotMatch(said, new RegExp(plain('alice@example.com').slice(0, 12)));
});

test('the log says of a session why its sign-in failed, and the client does not hear it', async (t) => {
  const people = await organisation(t);
  for (const [username, password, why] of [
    ['alice@example.com', 'wrong', 'the credentials are wrong'],
    ['nobody@example.com', PASSWORD, 'there is no such account, or none that signs in so'],
    ['frank@example.com', PASSWORD, 'the account is frozen or disabled'],
  ] as const) {
    const node = await listen(t, people);
    const client = await secured(node);
    await dialogue(
      client,
      `C: AUTH PLAIN ${plain(username, password)}\n S: 535 5.7.8 authentication failed\n C: QUIT\n S: 221`,
    );
    client.close();
    assert.equal((await node.sessionEnded()).reason, `sign-in by PLAIN failed, as ${why}`);
  }
});

test('port 25 does not offer AUTH unless it is told to', async (t) => {
  const people = await organisation(t);
  const node = await listen(t, people, { profile: 'mx' });
  const client = await dialogue(
    { port: node.port },
    'S: 220\n C: EHLO c\n S: 250\n C: STARTTLS\n S: 220\n -- TLS\n C: EHLO c\n S: 250\n C: AUTH PLAIN\n S: 502 5.5.1',
  );
  client.close();
  const open = await listen(t, people, { profile: 'mx', settings: { ...NO_FLOOR, 'smtp.authOnMx': true } });
  await dialogue(await secured(open), `C: AUTH PLAIN ${plain('alice@example.com')}\n S: 235\n C: QUIT\n S: 221`);
});

test('AUTH is refused twice, within a message and for acting as another; `*` takes it back', async (t) => {
  const node = await listen(t, await organisation(t));
  const client = await secured(node);
  const acting = base64(`boss@example.com\0alice@example.com\0${PASSWORD}`);
  await dialogue(
    client,
    `
    C: AUTH PLAIN
    S: 334
    C: *
    S: 501 5.7.0
    C: AUTH PLAIN ${acting}
    S: 535 5.7.8
    C: AUTH PLAIN =
    S: 501 5.5.2
    C: NOOP
    S: 250
    C: QUIT
    S: 221
  `,
  );
  const again = await secured(node);
  await dialogue(
    again,
    `
    C: AUTH PLAIN ${plain('alice@example.com')}
    S: 235
    C: AUTH PLAIN ${plain('alice@example.com')}
    S: 503 5.5.1
    C: MAIL FROM:<alice@example.com>
    S: 250
    C: AUTH PLAIN ${plain('alice@example.com')}
    S: 503 5.5.1
    C: QUIT
    S: 221
  `,
  );
});
