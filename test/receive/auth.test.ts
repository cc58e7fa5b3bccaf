import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { createDirectoryAdmin } from '../../src/directory/admin.ts';
import { passwordSettings } from '../../src/directory/credential-settings.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import { directoryMigrations } from '../../src/directory/schema.ts';
import { directorySettings } from '../../src/directory/settings.ts';
import { clientFinal } from '../../src/protocol/sasl/scram.ts';
import { createSettings } from '../../src/settings/registry.ts';
import { settingsMigrations } from '../../src/settings/schema.ts';
import type { PreparedChange } from '../../src/store/contract.ts';
import type { Verdict } from '../../src/wire/sasl/words.ts';
import { systemClock } from '../../src/world/clock.ts';
import { manualClock } from '../support/clock.ts';
import { credentialsOver } from '../support/credentials.ts';
import { memoryDatabase } from '../support/database.ts';
import { type Client, dialogue, openClient } from '../support/dialogue.ts';
import { recordedEvents } from '../support/events.ts';
import { NOBODY, startReceiver, type TestReceiverOptions } from '../support/receive/services.ts';

const PASSWORD = 'correct horse battery';
const NO_FLOOR = { 'smtp.authFailureFloorMs': 0 };

/** alice has a password and, the domain being so set, a SCRAM verifier; frank is frozen. */
async function organisation(t: TestContext) {
  const database = await memoryDatabase(t, ...settingsMigrations, ...directoryMigrations);
  const definitions = [...Object.values(directorySettings), ...Object.values(passwordSettings)];
  const settings = await createSettings(database, definitions, { clock: systemClock, events: recordedEvents() });
  const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
  const directory = createDirectory(database, { settings, clock: systemClock, resolveHost });
  const accounts = createDirectoryAdmin(database, directory, systemClock);
  const { credentials, admin, close } = await credentialsOver(database, { settings, forget: directory.forget });
  t.after(close);
  const make = async (change: PreparedChange | Promise<PreparedChange>): Promise<void> => {
    const { statements, committed } = await change;
    await database.write(statements);
    committed();
  };
  await make(accounts.addDomain({ name: 'example.com' }));
  await settings.change([{ key: 'passwords.scram', owner: { domain: 'example.com' }, value: true }], 'test');
  for (const address of ['alice@example.com', 'frank@example.com']) {
    await make(accounts.addAccount({ address }));
    await make(admin.setPassword(address, PASSWORD, address.startsWith('alice')));
  }
  await make(admin.setState('frank@example.com', 'frozen'));
  return { credentials, admin, make };
}

type Organisation = Awaited<ReturnType<typeof organisation>>;

function listen(t: TestContext, { credentials }: Pick<Organisation, 'credentials'>, options: TestReceiverOptions = {}) {
  return startReceiver(t, { profile: 'submission', credentials, settings: NO_FLOOR, ...options });
}

const plain = (username: string, password = PASSWORD): string =>
  Buffer.from(`\0${username}\0${password}`).toString('base64');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function secured(node: { port: number }): Promise<Client> {
  return dialogue(
    { port: node.port },
    `
    S: 220
    C: EHLO client.example
    S: 250
    C: STARTTLS
    S: 220
    -- TLS
    C: EHLO client.example
    S: 250 .. AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5
  `,
  );
}

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

async function scram(
  client: Client,
  username: string,
  plus: boolean,
  flag = 'n',
  password = PASSWORD,
): Promise<number> {
  const gs2Header = plus ? 'p=tls-exporter,,' : `${flag},,`;
  const bare = `n=${username},r=clientnonce`;
  await client.say(`AUTH SCRAM-SHA-256${plus ? '-PLUS' : ''} ${base64(gs2Header + bare)}\r\n`);
  const first = await client.hear();
  if (first.code !== 334) return first.code;
  const channel = plus
    ? (client.socket() as TLSSocket).exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    : Buffer.alloc(0);
  const final = clientFinal(
    password,
    { bare, gs2Header },
    Buffer.from(String(first.text), 'base64').toString(),
    channel,
  )!;
  await client.say(`${base64(final.message)}\r\n`);
  const proof = await client.hear();
  if (proof.code !== 334) return proof.code;
  assert.equal(Buffer.from(String(proof.text), 'base64').toString(), final.expected);
  await client.say('\r\n');
  return (await client.hear()).code;
}

test('a user signs in by SCRAM with and without channel binding, and the server proves itself too', async (t) => {
  const node = await listen(t, await organisation(t));
  for (const plus of [false, true]) {
    const client = await secured(node);
    assert.equal(await scram(client, 'alice@example.com', plus), 235);
    client.close();
  }
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
  assert.equal(client.unheard.length, 0);
  await clock.advance(1);
  assert.equal((await client.hear()).code, 535);
  client.close();
});

test('an attacker floods us with passwords: that nobody looks at them is said no sooner than that they are wrong', async (t) => {
  const clock = manualClock();
  let verdict: Verdict = { kind: 'busy' };
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
    assert.equal(client.unheard.length, 0);
    await clock.advance(1);
    assert.equal((await client.hear()).code, expected);
    verdict = { kind: 'no', reason: 'wrong' };
  }
  client.close();
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
