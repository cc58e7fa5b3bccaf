/** Attacks on signing in, titled by the attacker's move. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SaslVerdict } from '../../src/wire/sasl/types.ts';
import { manualClock } from '../support/clock.ts';
import { dialogue, openClient } from '../support/dialogue.ts';
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
import { NOBODY, startReceiver } from '../support/receive/services.ts';

test('the attacker signed in before the account was frozen, and goes on sending', async (t) => {
  const people = await organisation(t);
  const node = await listen(t, people);
  const client = await secured(node);
  const mail = 'C: MAIL FROM:<alice@example.com>';
  await dialogue(client, `C: AUTH PLAIN ${plain('alice@example.com')}\n S: 235\n ${mail}\n S: 250\n C: RSET\n S: 250`);
  await people.make(people.admin.setState('alice@example.com', 'frozen'));
  await dialogue(client, `${mail}\n S: 530 5.7.0\n C: AUTH PLAIN ${plain('alice@example.com')}\n S: 535 5.7.8`);
  await people.make(people.admin.setState('alice@example.com', 'active'));
  await dialogue(client, `${mail}\n S: 530\n C: AUTH PLAIN ${plain('alice@example.com')}\n S: 235\n ${mail}\n S: 250`);
  assert.equal(node.events.last('smtp.auth.ended')?.account, 'alice@example.com');
});

test('the attacker signed in by a stolen password before that was changed, or by an app password before it was revoked, and goes on sending', async (t) => {
  const people = await organisation(t);
  const node = await listen(t, people);
  const phone = await people.admin.addAppPassword('alice@example.com', 'phone');
  await people.make(phone.change);
  const [byPlain, byScram, byPhone] = [await secured(node), await secured(node), await secured(node)];
  const mail = 'C: MAIL FROM:<alice@example.com>';
  const goesOn = `${mail}\n S: 250\n C: RSET\n S: 250`;
  await dialogue(byPlain, `C: AUTH PLAIN ${plain('alice@example.com')}\n S: 235\n ${goesOn}`);
  assert.equal(await scram(byScram, 'alice@example.com', false), 235);
  await dialogue(byPhone, `C: AUTH PLAIN ${plain('alice@example.com', phone.password)}\n S: 235\n ${goesOn}`);
  await people.make(people.admin.setPassword('alice@example.com', 'another horse battery'));
  for (const client of [byPlain, byScram]) await dialogue(client, `${mail}\n S: 530 5.7.0\n C: QUIT\n S: 221`);
  await dialogue(byPhone, goesOn);
  await people.make(people.admin.removeAppPassword('alice@example.com', 'phone'));
  await dialogue(byPhone, `${mail}\n S: 530 5.7.0\n C: QUIT\n S: 221`);
  assert.equal(node.events.count('smtp.auth.ended'), 3);
});

test('a man in the middle takes -PLUS from the list: the client that could have bound is refused', async (t) => {
  const client = await secured(await listen(t, await organisation(t)));
  assert.equal(await scram(client, 'alice@example.com', false, 'y'), 501);
  client.close();
});

test('an attacker looks for accounts by what SCRAM, PLAIN and LOGIN answer: all look alike, salts stay the same', async (t) => {
  const node = await listen(t, await organisation(t), { settings: { ...NO_FLOOR, 'smtp.maxAuthFailures': 100 } });
  const client = await secured(node);
  const salts = new Set<string>();
  for (const username of ['nobody@example.com', 'nobody@example.com', 'nobody@other.example', 'frank@example.com']) {
    await client.say(`AUTH SCRAM-SHA-256 ${base64(`n,,n=${username},r=x`)}\r\n`);
    const first = await client.hear();
    const [, salt] = /,s=([^,]+),i=100000$/.exec(Buffer.from(String(first.text), 'base64').toString()) ?? [];
    if (username === 'nobody@example.com') salts.add(salt!);
    await client.say('*\r\n');
    assert.equal((await client.hear()).code, 501);
    assert.equal(await scram(client, username, false, 'n', 'wrong'), 535, username);
  }
  assert.equal(salts.size, 1);
  const said = new Set<string>();
  for (const [username, password] of [
    ['alice@example.com', 'wrong'],
    ['nobody@example.com', 'wrong'],
    ['frank@example.com', PASSWORD],
    ['nobody@other.example', 'wrong'],
  ] as const) {
    await client.say(`AUTH PLAIN ${plain(username, password)}\r\n`);
    said.add(JSON.stringify(await client.hear()));
  }
  assert.equal(said.size, 1);
  client.close();
});

test('an attacker looks for accounts by time: no refusal comes before the floor', async (t) => {
  const clock = manualClock();
  const credentials = { ...NOBODY };
  const node = await startReceiver(t, {
    profile: 'submission',
    clock,
    credentials,
    settings: { 'smtp.authFailureFloorMs': 2000 },
  });
  const client = await dialogue(
    { port: node.port },
    'S: 220\n C: EHLO c\n S: 250\n C: STARTTLS\n S: 220\n -- TLS\n C: EHLO c\n S: 250',
  );
  await client.say(`AUTH PLAIN ${plain('nobody@example.com')}\r\n`);
  while (node.events.count('smtp.auth.failed') === 0) await new Promise((done) => setImmediate(done));
  await clock.advance(1999);
  assert.equal(client.unread.length, 0);
  await clock.advance(1);
  assert.equal((await client.hear()).code, 535);
  client.close();
});

test('an attacker floods us with passwords: that nobody looks at them is said no sooner than that they are wrong', async (t) => {
  const clock = manualClock();
  let verdict: SaslVerdict = { kind: 'busy' };
  const node = await startReceiver(t, {
    profile: 'submission',
    clock,
    credentials: { ...NOBODY, password: async () => verdict },
    settings: { 'smtp.authFailureFloorMs': 2000, 'smtp.maxAuthFailuresPerNetwork': 1 },
  });
  const client = await dialogue(
    { port: node.port },
    'S: 220\n C: EHLO c\n S: 250\n C: STARTTLS\n S: 220\n -- TLS\n C: EHLO c\n S: 250',
  );
  for (const expected of [454, 535, 454]) {
    const told = node.events.count('smtp.auth.failed');
    await client.say(`AUTH PLAIN ${plain('alice@example.com')}\r\n`);
    while (node.events.count('smtp.auth.failed') === told) await new Promise((done) => setImmediate(done));
    await clock.advance(1999);
    assert.equal(client.unread.length, 0);
    await clock.advance(1);
    assert.equal((await client.hear()).code, expected);
    verdict = { kind: 'no', reason: 'wrong' };
  }
  client.close();
});

test('a guesser is ended after three tries in a session, and looked at no more after some from its network', async (t) => {
  const node = await listen(t, await organisation(t), {
    settings: { ...NO_FLOOR, 'smtp.maxAuthFailuresPerNetwork': 5 },
  });
  const wrong = `C: AUTH PLAIN ${plain('alice@example.com', 'wrong')}`;
  await dialogue(await secured(node), `${wrong}\n S: 535\n ${wrong}\n S: 535\n ${wrong}\n S: 421 4.7.0\n -- END`);
  await dialogue(
    await secured(node),
    `${wrong}\n S: 535\n ${wrong}\n S: 535\n C: AUTH PLAIN ${plain('alice@example.com')}\n S: 454 4.7.0`,
  ).then((client) => client.close());
});

test('endless and over-long base64 costs a bounded buffer', async (t) => {
  const node = await listen(t, await organisation(t));
  const client = await secured(node);
  await client.say(`AUTH PLAIN ${'A'.repeat(30_000)}\r\n`);
  assert.equal((await client.hear()).code, 500);
  await dialogue(
    client,
    `C: AUTH PLAIN\n S: 334\n C: ${'A'.repeat(40_000)}\n S: 500 5.5.6\n C: NOOP ${'x'.repeat(5000)}\n S: 500 5.5.2\n C: QUIT\n S: 221`,
  );
});

test('what is in credentials reaches neither transcript nor event', async (t) => {
  const node = await listen(t, await organisation(t));
  const client = await secured(node);
  await dialogue(
    client,
    `C: AUTH PLAIN ${plain('alice@example.com', 'secret-one')}\n S: 535\n C: AUTH LOGIN\n S: 334\n C: ${base64('alice@example.com')}\n S: 334\n C: ${base64('secret-two')}\n S: 535\n C: QUIT\n S: 221`,
  );
  client.close();
  const { dialogue: said } = await node.sessionEnded();
  assert.match(said, /C: AUTH PLAIN \(credentials left out\)/);
  for (const secret of ['secret-one', 'secret-two', base64('secret-two'), plain('alice@example.com', 'secret-one')])
    assert.ok(!said.includes(secret) && !JSON.stringify(node.events).includes(secret));
});

test('whatever octets an exchange is given, the session survives and nobody is let in', async (t) => {
  const node = await startReceiver(t, {
    profile: 'submission',
    credentials: {
      ...NOBODY,
      offers: () => ({ scram: true, bearer: true, cramMd5: true, external: true }),
      scram: () => ({
        verifier: {
          salt: Buffer.alloc(16),
          iterations: 4096,
          storedKey: Buffer.alloc(32),
          serverKey: Buffer.alloc(32),
        },
        outcome: { kind: 'no', reason: 'unknown' },
      }),
      sharedSecret: () => ({ secret: Buffer.alloc(32, 7), outcome: { kind: 'no', reason: 'unknown' } }),
    },
    settings: {
      ...NO_FLOOR,
      'smtp.maxAuthFailures': 100,
      'smtp.maxErrors': 1000,
      'smtp.maxAuthFailuresPerNetwork': 100_000,
    },
  });
  const mechanisms = ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'OAUTHBEARER', 'XOAUTH2', 'CRAM-MD5'];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...mechanisms),
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }),
      async (mechanism, messages) => {
        const client = await openClient({ port: node.port });
        await client.hear();
        await dialogue(client, 'C: EHLO c\n S: 250\n C: STARTTLS\n S: 220\n -- TLS\n C: EHLO c\n S: 250');
        await client.say(`AUTH ${mechanism}\r\n`);
        let { code } = await client.hear();
        for (const message of messages) {
          if (code !== 334) break;
          await client.say(`${Buffer.from(message).toString('base64')}\r\n`);
          ({ code } = await client.hear());
        }
        assert.ok([334, 501, 535].includes(code), String(code));
        await client.say(code === 334 ? '*\r\nNOOP\r\n' : 'NOOP\r\n');
        if (code === 334) assert.equal((await client.hear()).code, 501);
        assert.equal((await client.hear()).code, 250);
        client.close();
      },
    ),
    { numRuns: 60 },
  );
});
