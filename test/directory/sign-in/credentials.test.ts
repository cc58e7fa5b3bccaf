import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createSenderGrants } from '../../../src/directory/addresses/send-as.ts';
import { createDirectoryAdmin } from '../../../src/directory/admin.ts';
import { createDirectory } from '../../../src/directory/directory.ts';
import { GUESSING, HASHING, REMEMBERED_MS } from '../../../src/directory/limits.ts';
import { directoryMigrations } from '../../../src/directory/schema.ts';
import { directorySettings } from '../../../src/directory/settings.ts';
import type { AskSources } from '../../../src/directory/sign-in/credentials.ts';
import { openDecoyKey } from '../../../src/directory/sign-in/decoy-key.ts';
import { passwordSettings } from '../../../src/directory/sign-in/settings.ts';
import { credentialStatements } from '../../../src/directory/sign-in/statements.ts';
import type { Tokens } from '../../../src/directory/sign-in/tokens/tokens.ts';
import { parseAddress } from '../../../src/protocol/smtp/address.ts';
import { createSettings } from '../../../src/settings/registry.ts';
import { settingsMigrations } from '../../../src/settings/schema.ts';
import type { PreparedChange } from '../../../src/store/contract.ts';
import type { Secrets } from '../../../src/store/secrets.ts';
import type { SaslVerdict } from '../../../src/wire/sasl/types.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { selfSigned } from '../../../src/world/self-signed.ts';
import { manualClock } from '../../support/clock.ts';
import { credentialsOver } from '../../support/credentials.ts';
import { memoryDatabase } from '../../support/database.ts';
import { recordedEvents } from '../../support/events.ts';
import { seededRandom } from '../../support/random.ts';
import { OPEN_SECRETS } from '../../support/secrets.ts';

const ALICE = 'alice@example.com';
const PASSWORD = 'correct horse battery';
const DAY_MS = 86_400_000;

async function open(t: TestContext, parts: { askSources?: AskSources; tokens?: Tokens } = {}) {
  const database = await memoryDatabase(t, ...settingsMigrations, ...directoryMigrations);
  const clock = manualClock();
  const definitions = [...Object.values(directorySettings), ...Object.values(passwordSettings)];
  const settings = await createSettings(database, definitions, { clock, events: recordedEvents() });
  const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
  const directory = createDirectory(database, { settings, clock, resolveHost });
  const grants = createSenderGrants(database, directory);
  const accounts = createDirectoryAdmin(database, directory, clock);
  const { resolve } = directory;
  const { credentials, admin, close } = await credentialsOver(database, { settings, clock, resolve, ...parts });
  t.after(close);
  const make = async (change: PreparedChange | Promise<PreparedChange>): Promise<void> => {
    const { statements, committed } = await change;
    await database.write(statements);
    committed();
  };
  await make(accounts.addDomain({ name: 'example.com' }));
  await make(accounts.addAccount({ address: ALICE, name: 'Alice Liddell' }));
  const is = async (username: string, password: string): Promise<string> => {
    const verdict = await credentials.password(username, password);
    return verdict.kind === 'no' ? verdict.reason : verdict.kind;
  };
  return { database, clock, settings, credentials, admin, accounts, grants, make, is };
}

test('an account signs in while it is active, and not while it is frozen or disabled', async (t) => {
  const { admin, make, is } = await open(t);
  await make(admin.setPassword(ALICE, PASSWORD));
  assert.equal(await is('ALICE@Example.COM', PASSWORD), 'yes');
  for (const state of ['frozen', 'disabled'] as const) {
    await make(admin.setState(ALICE, state));
    assert.equal(await is(ALICE, PASSWORD), 'state');
  }
  await make(admin.setState(ALICE, 'active'));
  assert.equal(await is(ALICE, PASSWORD), 'yes');
  assert.equal(await is(ALICE, 'wrong'), 'wrong');
  assert.equal(await is(ALICE, ''), 'wrong');
  assert.equal(await is('nobody@example.com', PASSWORD), 'unknown');
});

test('a changed password ends the one before at once, however lately that was right', async (t) => {
  const { admin, make, is } = await open(t);
  await make(admin.setPassword(ALICE, PASSWORD));
  assert.equal(await is(ALICE, PASSWORD), 'yes');
  await make(admin.setPassword(ALICE, 'another horse battery'));
  assert.equal(await is(ALICE, PASSWORD), 'wrong');
});

test('a password that was used before is refused, as is one with the owner’s name in it', async (t) => {
  const { admin, make } = await open(t);
  await make(admin.setPassword(ALICE, PASSWORD));
  await make(admin.setPassword(ALICE, 'another horse battery'));
  for (const password of [PASSWORD, 'liddell goes shopping', 'short1A', 'Password2024!!'])
    await assert.rejects(admin.setPassword(ALICE, password), { code: 'directory.password' }, password);
});

test('an exempt account may have any password, but not none', async (t) => {
  const { admin, settings, make, is } = await open(t);
  await settings.change([{ key: 'passwords.strong', owner: { account: ALICE }, value: false }], 'test');
  await make(admin.setPassword(ALICE, '1234'));
  assert.equal(await is(ALICE, '1234'), 'yes');
  await assert.rejects(admin.setPassword(ALICE, ''), { code: 'directory.password' });
});

test('passwords end only where they are told to', async (t) => {
  const { admin, settings, clock, make, is } = await open(t);
  await make(admin.setPassword(ALICE, PASSWORD));
  await clock.advance(400 * DAY_MS);
  assert.equal(await is(ALICE, PASSWORD), 'yes');
  await settings.change([{ key: 'passwords.expire', owner: { domain: 'example.com' }, value: true }], 'test');
  assert.equal(await is(ALICE, PASSWORD), 'expired');
});

test('a domain has a login of its own, which is its name', async (t) => {
  const { credentials, admin, make, is } = await open(t);
  await make(admin.setDomainPassword('example.com', PASSWORD));
  const verdict = await credentials.password('Example.com', PASSWORD);
  assert.equal(verdict.kind === 'yes' && verdict.account, '@example.com');
  assert.equal(await is('other.example', PASSWORD), 'unknown');
  await make(admin.setDomainPassword('example.com', ''));
  assert.equal(await is('example.com', PASSWORD), 'unknown');
});

test('sources are asked only of local domains and of who has no password here, and their silence is no refusal', async (t) => {
  const asked: string[] = [];
  const answers: Record<string, Awaited<ReturnType<AskSources>>> = {
    'new@example.com': { user: 'new@example.com' },
    'gone@example.com': 'no',
    'later@example.com': 'cannot-tell',
    [ALICE]: 'none',
  };
  const { admin, accounts, make, is } = await open(t, {
    async askSources(username) {
      asked.push(username);
      if (username === 'new@example.com') await make(accounts.addAccount({ address: username }));
      return answers[username] ?? 'none';
    },
  });
  assert.equal(await is('new@example.com', PASSWORD), 'yes');
  assert.equal(await is('gone@example.com', PASSWORD), 'unknown');
  assert.equal(await is('later@example.com', PASSWORD), 'cannot-tell');
  assert.equal(await is(ALICE, PASSWORD), 'wrong');
  const before = asked.length;
  await make(admin.setPassword(ALICE, PASSWORD));
  assert.equal(await is(ALICE, 'wrong'), 'wrong');
  assert.equal(await is('bob@remote.example', PASSWORD), 'unknown');
  assert.equal(await is('new@example.com', ''), 'wrong');
  assert.equal(asked.length, before);
});

test('the attacker, whose account is frozen, signs in under an alias or sub-address of it that a source knows', async (t) => {
  const { admin, accounts, make, is } = await open(t, { askSources: async (user) => ({ user }) });
  await make(accounts.addAlias({ address: 'al@example.com', targets: [ALICE] }));
  for (const name of [ALICE, 'al@example.com', 'alice+x@example.com']) assert.equal(await is(name, PASSWORD), 'yes');
  for (const state of ['frozen', 'disabled'] as const) {
    await make(admin.setState(ALICE, state));
    for (const name of [ALICE, 'al@example.com', 'alice+x@example.com'])
      assert.notEqual(await is(name, PASSWORD), 'yes', `${name} ${state}`);
  }
});

test('the attacker, whose account is frozen, signs in by an address of it that is a role, a list or a forwarding here', async (t) => {
  const { admin, accounts, make, is } = await open(t, { askSources: async () => ({ user: ALICE }) });
  await make(accounts.addAccount({ address: 'bob@example.com' }));
  await make(accounts.addAlias({ address: 'team@example.com', targets: [ALICE, 'bob@example.com'] }));
  await make(accounts.addAlias({ address: 'away@example.com', targets: ['alice@remote.example'] }));
  const names = [
    'postmaster@example.com',
    'team@example.com',
    'away@example.com',
    'new@example.com',
    'bob@example.com',
  ];
  for (const name of names) assert.equal(await is(name, PASSWORD), 'yes', name);
  for (const state of ['frozen', 'disabled'] as const) {
    await make(admin.setState(ALICE, state));
    for (const name of names) assert.equal(await is(name, PASSWORD), 'state', `${name} ${state}`);
  }
  await make(admin.setState(ALICE, 'active'));
  await make(admin.setState('bob@example.com', 'frozen'));
  assert.equal(await is('team@example.com', PASSWORD), 'yes', 'it is alice, whoever else is in the team');
});

test('nobody signs in as a list or a role, where the source does not tell which user that is', async (t) => {
  const { accounts, make, is } = await open(t, { askSources: async (user) => ({ user }) });
  await make(accounts.addAlias({ address: 'team@example.com', targets: [ALICE, 'bob@remote.example'] }));
  await make(accounts.addAlias({ address: 'away@example.com', targets: ['alice@remote.example'] }));
  for (const name of ['postmaster@example.com', 'team@example.com', 'away@example.com'])
    assert.equal(await is(name, PASSWORD), 'unknown', name);
});

test('who signs in under another address of a user is that user, and an account of that very name is itself', async (t) => {
  const named: Record<string, string> = { 'new@example.com': ALICE, 'bob@example.com': ALICE };
  const { credentials, accounts, make } = await open(t, {
    askSources: async (user) => ({ user: named[user] ?? user }),
  });
  await make(accounts.addAccount({ address: 'bob@example.com' }));
  await make(accounts.addAlias({ address: 'al@example.com', targets: ['alice+al@example.com'] }));
  const accountOf = async (username: string) => {
    const verdict = await credentials.password(username, PASSWORD);
    return verdict.kind === 'yes' && verdict.account;
  };
  for (const name of [ALICE, 'alice+x@example.com', 'al@example.com', 'new@example.com'])
    assert.equal(await accountOf(name), ALICE, name);
  assert.equal(await accountOf('bob@example.com'), 'bob@example.com');
});

test('a password may not be one of those before it, as many as are remembered', async (t) => {
  const { admin, clock, make, settings } = await open(t);
  await settings.change([{ key: passwordSettings.history.key, owner: {}, value: 2 }], 'test');
  const next = async (password: string): Promise<void> => {
    await clock.advance(DAY_MS);
    await make(admin.setPassword(ALICE, password));
  };
  await next(`${PASSWORD} one`);
  await next(`${PASSWORD} two`);
  await assert.rejects(next(`${PASSWORD} one`), /be new: it is one of the last 2/);
  await assert.rejects(next(`${PASSWORD} two`), /be new/);
  await next(`${PASSWORD} three`);
  await next(`${PASSWORD} one`);
});

test('an account administers everything or one domain, and no longer once it is gone', async (t) => {
  const { admin, accounts, make } = await open(t);
  const listed = async () => (await admin.listAdministrators()).map(({ login, domain }) => [login, domain]);
  await make(admin.addAdministrator(ALICE));
  await make(admin.addAdministrator(ALICE, 'Example.com'));
  assert.deepEqual(await listed(), [
    [ALICE, undefined],
    [ALICE, 'example.com'],
  ]);
  await make(admin.removeAdministrator(ALICE));
  assert.deepEqual(await listed(), [[ALICE, 'example.com']]);
  await assert.rejects(admin.removeAdministrator(ALICE), /cannot find the administrator/);
  await assert.rejects(admin.addAdministrator('nobody@example.com'), /cannot find the account/);
  await assert.rejects(admin.addAdministrator(ALICE, 'elsewhere.example'), /cannot find the domain/);
  await make(admin.removalsOf(ALICE));
  await make(accounts.removeAccount(ALICE));
  assert.deepEqual(await listed(), []);
});

test('what is taken away must be there, and is told by its name where it is not', async (t) => {
  const { admin, make } = await open(t);
  await assert.rejects(admin.removeAppPassword(ALICE, 'phone'), /cannot find the app password phone/);
  await assert.rejects(admin.removeCertificate(ALICE, 'AB:CD'), /cannot find the certificate abcd/);
  await assert.rejects(admin.removeSendAs(ALICE, 'Boss@example.com'), /cannot find the grant to write as boss@/);
  await make(admin.addSendAs(ALICE, 'boss@example.com'));
  await make(admin.removeSendAs(ALICE, 'Boss@Example.com'));
  assert.deepEqual(await admin.listSendAs(ALICE), []);
});

test('who signed in may go on until the account is frozen, disabled or removed', async (t) => {
  const { credentials, admin, accounts, make } = await open(t);
  await make(admin.setDomainPassword('example.com', 'servers of mine go by sea'));
  const stand = async () => [
    await credentials.stands(ALICE, undefined),
    await credentials.stands('@example.com', undefined),
  ];
  assert.deepEqual(await stand(), ['yes', 'yes']);
  await make(admin.setState(ALICE, 'frozen'));
  assert.deepEqual(await stand(), ['no', 'yes']);
  await make(admin.setState(ALICE, 'active'));
  await make(admin.setDomainPassword('example.com', ''));
  assert.deepEqual(await stand(), ['yes', 'no']);
  await make(accounts.removeAccount(ALICE));
  assert.deepEqual(await stand(), ['no', 'no']);
});

test('who signed in may go on until that password, app password or certificate is changed or taken away', async (t) => {
  const { credentials, admin, make } = await open(t, { askSources: async (user) => ({ user }) });
  const signedIn = (verdict: SaslVerdict) => {
    assert.equal(verdict.kind, 'yes');
    const { account, proof } = verdict as SaslVerdict & { kind: 'yes' };
    return () => credentials.stands(account, proof);
  };
  const bySource = signedIn(await credentials.password(ALICE, PASSWORD));
  assert.equal(await bySource(), 'yes');
  await make(admin.setPassword(ALICE, PASSWORD));
  await make(admin.setDomainPassword('example.com', PASSWORD));
  const phone = await admin.addAppPassword(ALICE, 'phone');
  await make(phone.change);
  const { certificate: pem } = await selfSigned('alice.example', systemClock);
  const { fingerprint, change } = await admin.addCertificate(ALICE, pem);
  await make(change);
  assert.equal(await bySource(), 'no', 'the source is asked no more');

  const all = {
    password: signedIn(await credentials.password(ALICE, PASSWORD)),
    domain: signedIn(await credentials.password('example.com', PASSWORD)),
    app: signedIn(await credentials.password(ALICE, phone.password)),
    certificate: signedIn(await credentials.certificate(fingerprint, '')),
  };
  const ended = async () => {
    const names: string[] = [];
    for (const [name, stands] of Object.entries(all)) if ((await stands()) !== 'yes') names.push(name);
    return names;
  };
  assert.deepEqual(await ended(), []);
  await make(admin.setPassword(ALICE, 'another horse battery'));
  assert.deepEqual(await ended(), ['password']);
  await make(admin.removeAppPassword(ALICE, 'phone'));
  assert.deepEqual(await ended(), ['password', 'app']);
  await make(admin.setDomainPassword('example.com', 'servers of mine go by sea'));
  assert.deepEqual(await ended(), ['password', 'domain', 'app']);
  await make(admin.removeCertificate(ALICE, fingerprint));
  assert.deepEqual(await ended(), ['password', 'domain', 'app', 'certificate']);
});

test('a token signs in whom it names, if it is ours and says the same as the client', async (t) => {
  const { credentials } = await open(t, {
    tokens: {
      isConfigured: () => true,
      hint: () => ({}),
      async read(token) {
        if (token === 'good') return { kind: 'yes', address: ALICE, issuer: 'https://issuer.example' };
        return { kind: 'no', check: 'form', why: 'it is none' };
      },
    },
  });
  assert.equal((await credentials.bearer(undefined, 'good')).kind, 'yes');
  assert.equal((await credentials.bearer('boss@example.com', 'good')).kind, 'no');
  assert.equal((await credentials.bearer(ALICE, 'bad')).kind, 'no');
});

test('an account writes as itself, its aliases and what was granted, until that is taken away', async (t) => {
  const { accounts, admin, grants, make } = await open(t);
  await make(accounts.addAlias({ address: 'sales@example.com', targets: [ALICE] }));
  await make(accounts.addAlias({ address: 'board@example.com', targets: ['boss@remote.example'] }));
  const may = async (text: string): Promise<string> => {
    const sender = parseAddress(text);
    assert.ok(sender.ok);
    return grants.maySendAs(ALICE, sender.value);
  };
  for (const own of [ALICE, 'alice+news@example.com', 'sales@example.com']) assert.equal(await may(own), 'yes', own);
  for (const other of ['board@example.com', 'boss@example.com', 'news@shop.example'])
    assert.equal(await may(other), 'no');
  await make(admin.addSendAs(ALICE, 'boss@example.com'));
  await make(admin.addSendAs(ALICE, '@shop.example'));
  assert.equal(await may('boss@example.com'), 'yes');
  assert.equal(await may('news@shop.example'), 'yes');
  await make(admin.removeSendAs(ALICE, 'boss@example.com'));
  assert.equal(await may('boss@example.com'), 'no');
});

test('a removed account leaves no credentials for the next one of its name', async (t) => {
  const { accounts, admin, make, is } = await open(t);
  await make(admin.setPassword(ALICE, PASSWORD));
  const { password, change } = await admin.addAppPassword(ALICE, 'phone');
  await make(change);
  const gone = admin.removalsOf(ALICE);
  await make(accounts.removeAccount(ALICE));
  await make(gone);
  await make(accounts.addAccount({ address: ALICE }));
  assert.equal(await is(ALICE, password), 'wrong');
  assert.equal(await is(ALICE, PASSWORD), 'wrong');
});

const [HOME, ELSEWHERE] = ['192.0.2.7', '198.51.100.7'];

/** Alice signed in at home a while ago, and bots have been guessing since. */
async function guessedAt(t: TestContext, parts: { askSources?: AskSources } = {}) {
  const opened = await open(t, parts);
  const { credentials, admin, make, clock } = opened;
  await make(admin.setPassword(ALICE, PASSWORD));
  // Two at once, so that both threads are there.
  const [right] = await Promise.all([
    credentials.password(ALICE, PASSWORD, HOME),
    credentials.password(ALICE, 'mistyped', ELSEWHERE),
  ]);
  assert.equal(right?.kind, 'yes');
  await clock.advance(REMEMBERED_MS);
  for (let n = 0; n < GUESSING.wrong; n++) await credentials.password(ALICE, `guess ${n}`, `203.0.113.${n}`);
  const ended: string[] = [];
  const signIn = async (name: string, username: string, password: string, network: string): Promise<void> => {
    const { kind } = await credentials.password(username, password, network);
    ended.push(`${name}: ${kind}`);
  };
  const flood = (username = ALICE, from = (_: number): string => ELSEWHERE): Promise<void>[] =>
    Array.from({ length: HASHING.unknownWaiting + 5 }, (_, n) => signIn('bot', username, `guess ${n}`, from(n)));
  return { ...opened, signIn, flood, ended };
}

test('while bots guess at an account, its owner signs in from where he did before, and waits behind none of them', async (t) => {
  const { signIn, flood, ended } = await guessedAt(t);
  const floods = flood();
  await signIn('owner', ALICE, PASSWORD, HOME);
  const before = ended.filter((end) => end === 'bot: no').length;
  assert.ok(before < HASHING.unknownWaiting / 2, `${before} guesses were looked at before`);
  assert.equal(ended.at(-1), 'owner: yes');
  await Promise.all(floods);
  assert.ok(ended.includes('bot: busy'));
});

test('a guesser with an account of his own signs in from a hundred networks, and then guesses from each: he stands before nobody', async (t) => {
  const { credentials, admin, make, accounts, signIn, ended } = await guessedAt(t);
  const MALLORY = 'mallory@example.com';
  await make(accounts.addAccount({ address: MALLORY }));
  await make(admin.setPassword(MALLORY, PASSWORD));
  const networks = Array.from({ length: 100 }, (_, n) => `203.0.113.${n}`);
  for (const network of networks) assert.notEqual((await credentials.password(MALLORY, PASSWORD, network)).kind, 'no');
  const guesses = networks.map((network) => signIn('mallory', MALLORY, `${PASSWORD}!`, network));
  await signIn('owner', ALICE, PASSWORD, HOME);
  const before = ended.filter((end) => end === 'mallory: no').length;
  assert.ok(before < HASHING.unknownWaiting / 2, `${before} guesses were looked at before`);
  assert.equal(ended.at(-1), 'owner: yes');
  await Promise.all(guesses);
});

test('a wrong password ends what a network is known for, and a right one brings it back', async (t) => {
  const { credentials, signIn, flood, ended } = await guessedAt(t);
  await credentials.password(ALICE, 'mistyped', HOME);
  // Each of another site: there is nobody who has more in the line than the owner would have.
  let floods = flood(ALICE, (n) => `203.0.${n}.7`);
  await signIn('owner', ALICE, PASSWORD, HOME);
  assert.equal(ended.at(-1), 'owner: busy', 'as any stranger');
  await Promise.all(floods);
  await signIn('owner', ALICE, PASSWORD, HOME);
  await credentials.password(ALICE, PASSWORD, HOME);
  assert.equal(ended.at(-1), 'owner: yes');
  floods = flood();
  await signIn('owner', ALICE, PASSWORD, HOME);
  assert.equal(ended.at(-1), 'owner: yes');
  await Promise.all(floods);
});

test('who guesses at a user of a source waits in the line of all strangers, before the source is asked', async (t) => {
  let asked = 0;
  const askSources: AskSources = async (user, password) => {
    asked++;
    return password === PASSWORD ? { user } : 'no';
  };
  const { accounts, make, credentials, signIn, flood, ended } = await guessedAt(t, { askSources });
  await make(accounts.addAccount({ address: 'bob@example.com' }));
  await Promise.all(flood('bob@example.com'));
  assert.ok(asked <= HASHING.unknownWaiting + 1, `${asked} asked`);
  assert.ok(ended.includes('bot: busy') && ended.includes('bot: no'));
  assert.equal((await credentials.password('bob@example.com', PASSWORD, HOME)).kind, 'yes');
  const floods = flood('bob@example.com');
  await signIn('bob', 'bob@example.com', PASSWORD, HOME);
  assert.equal(ended.at(-1), 'bob: yes');
  await Promise.all(floods);
});

test('guesses at users of a source are guesses, too', async (t) => {
  const { credentials, accounts, make } = await open(t, { askSources: async () => 'no' });
  await make(accounts.addAccount({ address: 'bob@example.com' }));
  const guess = (n: number) => credentials.password('bob@example.com', `guess ${n}`, `203.0.113.${n}`);
  for (let n = 0; n < GUESSING.wrong; n++) assert.equal((await guess(n)).kind, 'no');
  const all = await Promise.all(Array.from({ length: HASHING.unknownWaiting + 5 }, (_, n) => guess(n)));
  assert.ok(all.some(({ kind }) => kind === 'busy'));
});

test('after the loss of the key file, decoys are made with another key, which stays', async (t) => {
  const db = await memoryDatabase(t, ...directoryMigrations);
  const statements = credentialStatements(db.dialect);
  const events = recordedEvents();
  const before = await openDecoyKey(db, statements, { secrets: OPEN_SECRETS, random: seededRandom(1) });
  const secrets: Secrets = {
    ...OPEN_SECRETS,
    seal: (name, value) => OPEN_SECRETS.seal(`new ${name}`, value),
    open: (name, sealed) => OPEN_SECRETS.open(`new ${name}`, sealed),
  };
  const after = await openDecoyKey(db, statements, { secrets, random: seededRandom(2), events });
  assert.notDeepEqual(after, before);
  assert.equal(events.last('signing.secret-unreadable')?.name, 'scram/decoy');
  assert.deepEqual(
    await openDecoyKey(db, statements, { secrets, random: seededRandom(3), events }),
    Buffer.from(after),
  );
  assert.equal(events.count('signing.secret-unreadable'), 1);
});
