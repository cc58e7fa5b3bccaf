/** What is kept of the database is forgotten by every commit that changes it, and by no other. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { MIGRATIONS, SETTINGS } from '../../src/catalogue.ts';
import { openCorrespondents } from '../../src/directory/addresses/correspondents.ts';
import { createIdentityReader } from '../../src/directory/addresses/identities.ts';
import { createLookup } from '../../src/directory/addresses/lookup.ts';
import { createSenderGrants } from '../../src/directory/addresses/send-as.ts';
import { createSenderRules } from '../../src/directory/rules/rules.ts';
import { openServerLogins } from '../../src/directory/servers/logins.ts';
import { createMailServers } from '../../src/directory/servers/mail-servers.ts';
import { openMingerSecret } from '../../src/directory/sign-in/minger-secret.ts';
import { createDkimKeys } from '../../src/directory/signing-keys/dkim-keys.ts';
import { openSrsKeys } from '../../src/directory/signing-keys/srs-keys.ts';
import { openSourceTable } from '../../src/directory/sources/table.ts';
import { createSettings } from '../../src/settings/registry.ts';
import type { Database, Statement } from '../../src/store/contract.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';
import { address, settings } from '../screen/world.ts';
import { manualClock } from '../support/clock.ts';
import { credentialsOver } from '../support/credentials.ts';
import { memoryDatabase } from '../support/database.ts';
import { recordedEvents } from '../support/events.ts';
import { OPEN_SECRETS } from '../support/secrets.ts';

type Ask = () => unknown;
const SERVICES = { secrets: OPEN_SECRETS, clock: systemClock, random: systemRandom };
const ALICE = 'alice@example.com';

/** Each by what asks it. */
const CACHES: Readonly<Record<string, (db: Database, t: TestContext) => Ask | Promise<Ask>>> = {
  domains: (db) => {
    const lookup = createLookup(db);
    return () => lookup.domain('example.com');
  },
  'accounts and aliases': (db) => {
    const lookup = createLookup(db);
    return () => lookup.entry(ALICE);
  },
  'who belongs to us': (db) => createIdentityReader(db).current,
  'domain mail servers': (db) => createMailServers(db).table,
  'allow and block lists': (db) => createSenderRules(db).lists,
  'IP-shield pairs': (db) => createSenderRules(db).shields,
  'signing keys': (db) => {
    const keys = createDkimKeys(db, SERVICES);
    return () => keys.active('example.com');
  },
  'send-as grants': (db) => {
    const grants = createSenderGrants(db, { resolve: () => ({ kind: 'remote' }) });
    return () => grants.maySendAs(ALICE, address('bob@example.com'));
  },
  'what AUTH offers': async (db, t) => {
    const { credentials, close } = await credentialsOver(db, { settings: settings() });
    t.after(close);
    return credentials.offers;
  },
  'verification sources': async (db, t) => {
    const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
    const table = await openSourceTable(db, {
      ...SERVICES,
      events: recordedEvents(),
      resolveHost,
      hostname: 'mx.example.com',
      logins: await openServerLogins(db, SERVICES),
    } as never);
    t.after(table.close);
    return table.settled;
  },
  'credentials for servers': async (db) => (await openServerLogins(db, SERVICES)).list,
  'keys of rewritten senders': async (db) => {
    const srs = await openSrsKeys(db, { ...SERVICES, events: recordedEvents() });
    return () => srs.reverse('srs0=x');
  },
  'domains that our people write to': async (db, t) => {
    const correspondents = await openCorrespondents(db, systemClock);
    t.after(correspondents.close);
    return () => correspondents.frequent(1);
  },
  settings: async (db) =>
    (await createSettings(db, SETTINGS, { clock: systemClock, events: recordedEvents() })).current,
  'the secret of Minger': async (db) => (await openMingerSecret(db, OPEN_SECRETS)).current,
};

/** Read at the start and never changed: the key of the answers to users that do not exist. */
const CONSTANT: Readonly<Record<string, string>> = { 'what AUTH offers': 'kept_secret' };

/** What was read and subscribed to so far, by table. */
async function watched(t: TestContext) {
  const database = await memoryDatabase(t, ...MIGRATIONS);
  const reads: string[] = [];
  const topics = new Set<string>();
  const note = ({ sql }: Statement): void => {
    for (const [, table] of sql.matchAll(/\b(?:from|join) "(\w+)"/g)) reads.push(table!);
  };
  const noting =
    <T>(ask: (statement: Statement) => T) =>
    (statement: Statement): T => {
      note(statement);
      return ask(statement);
    };
  const db: Database = {
    ...database,
    read: noting(database.read),
    ...(database.readNow && { readNow: noting(database.readNow) }),
    scan: noting(database.scan),
    changes: {
      subscribe(of, hear) {
        for (const topic of of) topics.add(topic);
        return database.changes.subscribe(of, hear);
      },
    },
  };
  const change = (table: string) =>
    db.write([{ sql: `delete from ${table} where 1 = 0`, parameters: [], writes: { topic: table } }]);
  return { db, reads, topics, change };
}

for (const [name, create] of Object.entries(CACHES)) {
  test(`${name}: kept until any of the tables changes that they were read from, and longer than any other`, async (t) => {
    const { db, reads, topics, change } = await watched(t);
    const ask = await create(db, t);
    await ask();
    const tables = [...new Set(reads)].filter((table) => table !== CONSTANT[name]);
    assert.ok(tables.length > 0, 'it reads something');
    assert.deepEqual(
      tables.filter((table) => !topics.has(table)),
      [],
      'hears of all that it reads',
    );
    for (const table of tables) {
      reads.length = 0;
      await change('outbox');
      await ask();
      assert.deepEqual(reads, [], 'it is kept');
      await change(table);
      await ask();
      assert.ok(reads.length > 0, `read again after a change of ${table}`);
    }
  });
}

test('a change of one address leaves the others in memory', async (t) => {
  const { db, reads } = await watched(t);
  const lookup = createLookup(db);
  const ask = (key: string) => lookup.entry(key);
  for (const key of [ALICE, 'bob@example.com']) await ask(key);
  reads.length = 0;
  await db.write([
    { sql: 'delete from account where 1 = 0', parameters: [], writes: { topic: 'account', key: ALICE } },
  ]);
  await ask('bob@example.com');
  assert.deepEqual(reads, []);
  await ask(ALICE);
  assert.ok(reads.length > 0);
});

test('a key of rewritten senders that another node makes is honoured at once', async (t) => {
  const db = await memoryDatabase(t, ...MIGRATIONS);
  const clock = manualClock();
  const services = { secrets: OPEN_SECRETS, clock, random: systemRandom, events: recordedEvents() };
  const [one, other] = [await openSrsKeys(db, services), await openSrsKeys(db, services)];
  await clock.advance(31 * 86_400_000);
  await one.rotate();
  await settled(db);
  const { local } = one.forward(address('stranger@example.net'), 'example.com');
  assert.equal(other.reverse(local).kind, 'valid');
});

test('two nodes that start at once with no key of rewritten senders share one', async (t) => {
  const db = await memoryDatabase(t, ...MIGRATIONS);
  const services = { ...SERVICES, events: recordedEvents() };
  const [one, other] = await Promise.all([openSrsKeys(db, services), openSrsKeys(db, services)]);
  const { local } = one.forward(address('stranger@example.net'), 'example.com');
  assert.equal(other.reverse(local).kind, 'valid');
});

test('a domain that people of another node write to is known here, and what was counted here is kept', async (t) => {
  const db = await memoryDatabase(t, ...MIGRATIONS);
  const [one, other] = [await openCorrespondents(db, manualClock()), await openCorrespondents(db, manualClock())];
  for (const counting of [one, one, other]) counting.count('partner.example');
  other.count('own.example');
  await one.flush();
  await settled(db);
  assert.ok(other.knows('partner.example', 3) && !one.knows('partner.example', 3));
  await other.flush();
  await settled(db);
  assert.ok(one.knows('partner.example', 3) && !other.knows('partner.example', 4));
  assert.ok(one.knows('own.example', 1) && other.knows('own.example', 1));
  await one.close();
  await other.close();
});

/** Where nothing is read at once, until what was published is read. */
async function settled(db: Database): Promise<void> {
  if (!db.readNow) for (let i = 0; i < 3; i++) await db.read({ sql: 'select 1', parameters: [] });
}
