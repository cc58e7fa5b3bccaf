import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { deliverySettings } from '../../src/deliver/settings.ts';
import { createDirectoryAdmin } from '../../src/directory/admin.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import { directoryMigrations } from '../../src/directory/schema.ts';
import { openServerLogins } from '../../src/directory/servers/logins.ts';
import { directorySettings } from '../../src/directory/settings.ts';
import { passwordSettings } from '../../src/directory/sign-in/settings.ts';
import { createDkimKeys } from '../../src/directory/signing-keys/dkim-keys.ts';
import { signingMigrations } from '../../src/directory/signing-keys/schema.ts';
import type { AuditRecord } from '../../src/journal/contract.ts';
import { OperationalError } from '../../src/model/errors.ts';
import { checkAnswer } from '../../src/operations/answers.ts';
import { createOperations } from '../../src/operations/execute.ts';
import { fullAdministrator } from '../../src/operations/roles.ts';
import { operationMigrations } from '../../src/operations/schema.ts';
import type { OperationServices } from '../../src/operations/services.ts';
import { formatKeyRecord } from '../../src/protocol/dkim/record.ts';
import { createSettings } from '../../src/settings/registry.ts';
import { settingsMigrations } from '../../src/settings/schema.ts';
import { manualClock } from '../support/clock.ts';
import { credentialsOver } from '../support/credentials.ts';
import { memoryDatabase } from '../support/database.ts';
import { recordedEvents } from '../support/events.ts';
import { seededRandom } from '../support/random.ts';
import { OPEN_SECRETS } from '../support/secrets.ts';

const ROOT = fullAdministrator('cli:root');
const WATCHER = { name: 'monitoring', grants: [{ role: 'auditor', domains: 'all' }] } as const;

async function open(t: TestContext) {
  const database = await memoryDatabase(
    t,
    ...settingsMigrations,
    ...directoryMigrations,
    ...signingMigrations,
    ...operationMigrations,
  );
  const clock = manualClock();
  const events = recordedEvents();
  const settings = await createSettings(
    database,
    [directorySettings, passwordSettings, deliverySettings].flatMap((group) => Object.values(group)),
    { clock, events },
  );
  const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
  const directory = createDirectory(database, { settings, clock, resolveHost });
  const admin = createDirectoryAdmin(database, directory, clock);
  const dkim = createDkimKeys(database, { secrets: OPEN_SECRETS, clock });
  const random = seededRandom(1);
  const { admin: credentials, close } = await credentialsOver(database, {
    settings,
    clock,
    random,
  });
  t.after(close);
  const logins = await openServerLogins(database, { secrets: OPEN_SECRETS, clock, random });
  const audited: AuditRecord[] = [];
  const journal = { audit: (record: AuditRecord) => void audited.push(record), flush: async () => {} };
  const dns: Record<string, string> = {};
  const resolver = {
    resolve: async (name: string) =>
      dns[name] === undefined ? { kind: 'none' } : { kind: 'found', records: [[Buffer.from(dns[name])]] },
  };
  const parts = { database, clock, events, settings, directory, admin, credentials, logins, dkim, journal, random };
  // Acts on the queue and the log have tests where those live.
  const services = { ...parts, resolver, checkAnswer } as unknown as OperationServices;
  return { ...parts, dns, audited, services, ...createOperations(services) };
}

test('an act is done and audited in one unit, and its row reaches the log', async (t) => {
  const { execute, audited, database, directory } = await open(t);
  assert.deepEqual(await execute('domain.add', { name: 'Example.com', servers: ['127.0.0.2:2626'] }, ROOT), {
    name: 'example.com',
  });
  assert.ok(await directory.domain('example.com'));
  assert.deepEqual(
    audited.map(({ actor, operation, result, input }) => ({ actor, operation, result, input })),
    [
      {
        actor: 'cli:root',
        operation: 'domain.add',
        result: 'done',
        input: '{"name":"Example.com","servers":["127.0.0.2:2626"]}',
      },
    ],
  );
  const left = await database.read({ sql: 'SELECT * FROM audit_outbox', parameters: [] });
  assert.deepEqual(left, []);
});

test('an act that the disk refuses leaves neither its change nor its row, and is told as refused', async (t) => {
  const { execute, audited, database, directory, events } = await open(t);
  database.fail(new OperationalError('store.full', 'cannot write, as the disk must have room'));
  await assert.rejects(execute('domain.add', { name: 'example.com' }, ROOT), { code: 'store.full' });
  database.fail(undefined);
  assert.equal(await directory.domain('example.com'), undefined);
  assert.deepEqual(
    audited.map(({ result }) => result),
    ['refused'],
  );
  assert.equal(events.count('operation.refused'), 1);
});

test('rows that a crash left behind reach the log at the next start', async (t) => {
  const { database, services, audited, execute } = await open(t);
  const record = { at: 1, actor: 'cli:root', operation: 'domain.add', input: '{}', result: 'done' };
  await database.write([{ sql: 'INSERT INTO audit_outbox VALUES (?, ?)', parameters: ['1', JSON.stringify(record)] }]);
  const again = createOperations(services);
  await again.execute('domain.add', { name: 'example.com' }, ROOT);
  assert.deepEqual(audited[0], record);
  await execute('domain.list', {}, ROOT);
});

test('a password is in no audit row', async (t) => {
  const { execute, audited } = await open(t);
  await execute('domain.add', { name: 'example.com' }, ROOT);
  await execute('user.add', { address: 'alice@example.com', password: 'correct horse battery' }, ROOT);
  await assert.rejects(execute('user.add', { address: 'bob@example.com', password: 'battery' }, ROOT));
  assert.ok(!JSON.stringify(audited).includes('correct horse'));
  assert.ok(!audited.some(({ input }) => input.includes('battery')));
  const [alice] = (await execute('user.list', {}, ROOT)).rows;
  assert.equal(alice?.hasPassword, true);
});

test('whoever may only read is refused an act, and the attempt is audited', async (t) => {
  const { execute, audited } = await open(t);
  await assert.rejects(execute('domain.add', { name: 'example.com' }, WATCHER), { code: 'operation.denied' });
  assert.equal(audited[0]?.result, 'refused');
  assert.deepEqual(await execute('domain.list', {}, WATCHER), { rows: [], more: false });
});

test('what is no operation, or no input of it, is refused with what would be one', async (t) => {
  const { executeUnknown } = await open(t);
  await assert.rejects(executeUnknown('domain.ad', {}, ROOT), { message: /did you mean domain\.add\?$/ });
  await assert.rejects(executeUnknown('domain.add', { name: 5 }, ROOT), { code: 'operation.input', message: /name/ });
  await assert.rejects(executeUnknown('domain.add', { name: 'a.example', extra: 1 }, ROOT), {
    code: 'operation.input',
  });
  await assert.rejects(executeUnknown('constructor', {}, ROOT), { code: 'operation.unknown' });
});

test('a hundred acts at once happen one after the other: a domain is added once', async (t) => {
  const { execute } = await open(t);
  const added = await Promise.allSettled(
    Array.from({ length: 100 }, () => execute('domain.add', { name: 'example.com' }, ROOT)),
  );
  assert.equal(added.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('settings are for owners that exist, and go with them', async (t) => {
  const { execute, settings } = await open(t);
  const set = { key: 'directory.subaddressSeparator', value: '-', domain: 'example.com' };
  await assert.rejects(execute('settings.set', set, ROOT), { code: 'directory.missing' });
  await execute('domain.add', { name: 'example.com' }, ROOT);
  await execute('settings.set', set, ROOT);
  assert.equal((await execute('settings.get', { key: set.key, domain: 'example.com' }, ROOT)).text, '-');
  assert.equal((await execute('settings.get', { key: set.key }, ROOT)).text, '+');
  await execute('domain.remove', { name: 'example.com' }, ROOT);
  assert.deepEqual(settings.stored(), []);
});

test('an import with one owner or value that cannot be changes nothing', async (t) => {
  const { execute, settings } = await open(t);
  const file =
    'global:\n  directory.subaddressSeparator: "-"\ndomains:\n  nowhere.example:\n    directory.subaddressSeparator: "+"\n';
  await assert.rejects(execute('settings.import', { file }, ROOT), { code: 'directory.missing' });
  assert.deepEqual(settings.stored(), []);
});

test('credentials are set by id, by host and port or for the smart host, and no row of the audit has the secret', async (t) => {
  const { execute, audited } = await open(t);
  const draft = { user: 'gateway', secret: 'correct horse battery' };
  await execute('domain.add', { name: 'example.com' }, ROOT);
  const { id } = await execute('server.add', { server: 'Mail.Example.com:587', domains: ['example.com'] }, ROOT);
  const byId = await execute('server.set-credentials', { server: String(id), ...draft }, ROOT);
  assert.deepEqual(byId, { server: 'mail.example.com:587', user: 'gateway', use: 'domain mail server' });
  assert.equal((await execute('server.list', {}, ROOT))[0]!.signsInAs, 'gateway');
  await assert.rejects(
    execute('server.set-credentials', { server: 'smart-host', ...draft }, ROOT),
    (error) => error instanceof OperationalError && error.code === 'directory.missing',
  );
  await execute('settings.set', { key: 'delivery.smartHost', value: 'relay.example.net:587' }, ROOT);
  const smartHost = await execute('server.set-credentials', { server: 'smart-host', ...draft }, ROOT);
  assert.equal(smartHost.server, 'relay.example.net:587');
  const other = await execute('server.set-credentials', { server: 'later.example.net:465', ...draft }, ROOT);
  assert.equal(other.use, 'none');
  const uses = (await execute('server.credentials', {}, ROOT)).map(({ host, use }) => [host, use]);
  assert.deepEqual(uses, [
    ['mail.example.com', 'domain mail server'],
    ['relay.example.net', 'smart host'],
    ['later.example.net', 'none'],
  ]);
  assert.ok(!JSON.stringify(audited).includes(draft.secret));
});

test('credentials go with their server or the domain that it served alone, and those of the smart host stay', async (t) => {
  const { execute } = await open(t);
  const draft = { user: 'gateway', secret: 'correct horse battery' };
  const places = async () => (await execute('server.credentials', {}, ROOT)).map(({ host }) => host);
  await execute('settings.set', { key: 'delivery.smartHost', value: 'c.example.net:587' }, ROOT);
  for (const [domain, server] of [
    ['a.example', 'a.example.net:587'],
    ['b.example', 'b.example.net:587'],
    ['c.example', 'c.example.net:587'],
  ] as const) {
    await execute('domain.add', { name: domain, servers: [server] }, ROOT);
    await execute('server.set-credentials', { server, ...draft }, ROOT);
  }
  await execute('server.remove', { id: 1 }, ROOT);
  assert.deepEqual(await places(), ['b.example.net', 'c.example.net']);
  await execute('domain.remove', { name: 'b.example' }, ROOT);
  await execute('domain.remove', { name: 'c.example' }, ROOT);
  assert.deepEqual(await places(), ['c.example.net']);
  await execute('server.clear-credentials', { server: 'smart-host' }, ROOT);
  assert.deepEqual(await places(), []);
});

test('what checking and rotating DKIM keys saw in the DNS is what the list shows', async (t) => {
  const { execute, dns, dkim, clock } = await open(t);
  const domain = 'example.com';
  await execute('domain.add', { name: domain }, ROOT);
  const { selector } = await execute('dkim.create', { domain }, ROOT);
  const listed = async () => {
    const key = (await execute('dkim.list', { domain }, ROOT)).find((one) => one.selector === selector);
    return [key?.life, key?.record];
  };
  assert.deepEqual(await listed(), ['pending', undefined]);
  await execute('dkim.check', { domain }, WATCHER);
  assert.deepEqual(await listed(), ['pending', 'missing']);
  const [key] = await dkim.ofDomain(domain);
  dns[`${selector}._domainkey.${domain}`] = formatKeyRecord('rsa-sha256', key!.public_key);
  await execute('dkim.rotate', { domain }, ROOT);
  assert.deepEqual(await listed(), ['active', 'published']);
  delete dns[`${selector}._domainkey.${domain}`];
  const checked = (await execute('dkim.check', { domain }, WATCHER)).find((one) => one.selector === selector);
  assert.deepEqual([checked?.state, checked?.record, checked?.checkedAt], ['missing', 'missing', clock.now()]);
  assert.deepEqual(await listed(), ['active', 'missing']);
});
