/** Credentials for other servers: what is kept, what is shown, what is refused. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { serverLoginMigrations } from '../../../src/directory/servers/login-schema.ts';
import { openServerLogins, type ServerLogins } from '../../../src/directory/servers/logins.ts';
import { isOperational } from '../../../src/model/errors.ts';
import type { Database, PreparedChange } from '../../../src/store/contract.ts';
import type { Secrets } from '../../../src/store/secrets.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { systemRandom } from '../../../src/world/random.ts';
import { selfSigned } from '../../../src/world/self-signed.ts';
import { memoryDatabase } from '../../support/database.ts';
import { OPEN_SECRETS } from '../../support/secrets.ts';

const PLACE = { host: 'mail.example.net', port: 587 };
const DRAFT = { user: 'gateway', secret: 'correct horse battery' };
const DIGEST = `${'A'.repeat(43)}=`;

const open = (database: Database, secrets: Secrets = OPEN_SECRETS): Promise<ServerLogins> =>
  openServerLogins(database, { secrets, clock: systemClock, random: systemRandom });

async function world(t: TestContext) {
  const database = await memoryDatabase(t, ...serverLoginMigrations);
  const make = async ({ statements, committed }: PreparedChange): Promise<void> => {
    await database.write(statements);
    committed();
  };
  return { database, make, logins: await open(database) };
}

test('credentials belong to one host and port, outlive a restart, and their secret is in no list and in clear nowhere', async (t) => {
  const { database, make, logins } = await world(t);
  const hidden: Secrets = { ...OPEN_SECRETS, seal: (name) => `sealed ${name}`, open: () => Buffer.from(DRAFT.secret) };
  await make((await open(database, hidden)).set(PLACE, DRAFT));
  // Whoever has them open hears of it, and cannot open the secret without its key.
  assert.equal(logins.of(PLACE.host, PLACE.port)?.connect, undefined);
  const again = await open(database, hidden);
  assert.equal(again.of(PLACE.host, PLACE.port)?.connect?.signIn.credentials.secret.text, DRAFT.secret);
  assert.equal(again.of(PLACE.host, 25), undefined);
  assert.equal(again.of('other.example.net', 587), undefined);
  assert.ok(!JSON.stringify(again.list()).includes(DRAFT.secret));
  const stored = await database.read({ sql: 'SELECT * FROM server_login', parameters: [] });
  assert.ok(!JSON.stringify(stored).includes(DRAFT.secret));
  assert.equal(stored[0]!['secret'], 'sealed server/mail.example.net:587');
});

test('new credentials take the place of the old, and count as others', async (t) => {
  const { make, logins } = await world(t);
  await make(logins.set(PLACE, DRAFT));
  const before = logins.of(PLACE.host, PLACE.port)!;
  await make(logins.set(PLACE, { ...DRAFT, user: 'other' }));
  const after = logins.of(PLACE.host, PLACE.port)!;
  assert.notEqual(before.key, after.key);
  assert.deepEqual(
    logins.list().map(({ user }) => user),
    ['other'],
  );
  await make(logins.clear(PLACE));
  assert.equal(logins.of(PLACE.host, PLACE.port), undefined);
  assert.throws(
    () => logins.clear(PLACE),
    (error) => isOperational(error, 'directory.missing'),
  );
});

test('TLS begins with the first octet on 465 or where it is said, and is demanded everywhere', async (t) => {
  const { make, logins } = await world(t);
  const tlsOf = async (port: number, implicitTls?: boolean) => {
    await make(logins.set({ host: 'mail.example.net', port }, { ...DRAFT, implicitTls }));
    return logins.of('mail.example.net', port)!.connect!.tls;
  };
  assert.equal(await tlsOf(465), 'implicit');
  assert.equal(await tlsOf(465, false), 'required');
  assert.equal(await tlsOf(587), 'required');
  assert.equal(await tlsOf(4650, true), 'implicit');
});

test('after the loss of the key file credentials are there and not usable, and may be set again', async (t) => {
  const { database, make, logins } = await world(t);
  await make(logins.set(PLACE, DRAFT));
  const lost: Secrets = {
    ...OPEN_SECRETS,
    open() {
      throw new Error('no such key');
    },
  };
  const reopened = await open(database, lost);
  assert.deepEqual([reopened.list()[0]!.usable, reopened.of(PLACE.host, PLACE.port)!.connect], [false, undefined]);
});

test('a sealed secret that somebody moved to another server is not opened', async (t) => {
  const { database, make, logins } = await world(t);
  await make(logins.set(PLACE, DRAFT));
  await database.write([{ sql: "UPDATE server_login SET host = 'attacker.example'", parameters: [] }]);
  assert.equal((await open(database)).of('attacker.example', 587)!.connect, undefined);
});

test('pins are taken as openssl, curl and our own messages write them', async (t) => {
  const { make, logins } = await world(t);
  await make(
    logins.set(PLACE, { ...DRAFT, pins: [DIGEST, `sha256/${DIGEST}`, `sha256//${DIGEST}`, `SHA256:${DIGEST}`] }),
  );
  assert.deepEqual(logins.list()[0]!.pins, [DIGEST, DIGEST, DIGEST, DIGEST]);
});

test('what no server could take, or would be no proof, is refused with the reason', async (t) => {
  const { logins } = await world(t);
  const { certificate } = await selfSigned('mail.example.net', systemClock);
  for (const [draft, why] of [
    [{ user: '' }, /the user must/],
    [{ user: 'a\r\nMAIL FROM:<>' }, /the user must/],
    [{ secret: '' }, /the password must/],
    [{ secret: 'a\0b' }, /the password must/],
    [{ secret: 'x'.repeat(256) }, /the password must/],
    [{ kind: 'token', secret: 'with space' }, /the access token must/],
    [{ kind: 'token', secret: `x\x01auth=Bearer y` }, /the access token must/],
    [{ pins: ['sha256/short'] }, /a pin must/],
    [{ pins: Array<string>(9).fill(DIGEST) }, /at most 8 pins/],
    [{ authority: 'not a certificate' }, /must be a certificate/],
  ] as const)
    assert.throws(() => logins.set(PLACE, { ...DRAFT, ...draft }), why, JSON.stringify(draft));
  assert.ok(logins.set(PLACE, { ...DRAFT, authority: certificate }));
});
