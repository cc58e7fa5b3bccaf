import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createDirectoryAdmin, type DirectoryAdmin } from '../../src/directory/admin.ts';
import type { Resolution } from '../../src/directory/contract.ts';
import { createDirectory } from '../../src/directory/directory.ts';
import { directoryMigrations } from '../../src/directory/schema.ts';
import { directorySettings } from '../../src/directory/settings.ts';
import type { Address } from '../../src/model/address.ts';
import { isPromise } from '../../src/model/maybe-promise.ts';
import { parsePath } from '../../src/protocol/smtp/address.ts';
import { createSettings } from '../../src/settings/registry.ts';
import { settingsMigrations } from '../../src/settings/schema.ts';
import type { PreparedChange } from '../../src/store/contract.ts';
import type { HostAnswer } from '../../src/world/hosts-file.ts';
import { manualClock } from '../support/clock.ts';
import { memoryDatabase } from '../support/database.ts';
import { recordedEvents } from '../support/events.ts';

async function open(t: TestContext, hosts: Record<string, HostAnswer> = {}) {
  const db = await memoryDatabase(t, ...settingsMigrations, ...directoryMigrations);
  const clock = manualClock();
  const settings = await createSettings(db, Object.values(directorySettings), { clock, events: recordedEvents() });
  const asked: string[] = [];
  const directory = createDirectory(db, {
    settings,
    clock,
    ownHost: { hostname: 'MX.postern.example', addresses: () => ['192.0.2.25', '2001:db8::25'] },
    resolveHost: async (name) => {
      asked.push(name);
      return hosts[name] ?? { kind: 'none', ttlSeconds: 60 };
    },
  });
  const admin = createDirectoryAdmin(db, directory, clock);
  const make = async (change: PreparedChange | Promise<PreparedChange>): Promise<void> => {
    const { statements, committed } = await change;
    await db.write(statements);
    committed();
  };
  return { db, clock, settings, directory, admin, make, asked };
}

type Opened = Awaited<ReturnType<typeof open>>;

function rcpt(text: string): Address {
  const path = parsePath(`<${text}>`, 0, { smtputf8: true, allowPostmaster: true });
  assert.ok(path.ok && path.value.path);
  return path.value.path;
}

const kindOf = async ({ directory }: Opened, text: string): Promise<Resolution['kind']> =>
  (await directory.resolve(rcpt(text))).kind;

async function targetsOf({ directory }: Opened, text: string): Promise<string[]> {
  const resolution = await directory.resolve(rcpt(text));
  assert.ok('targets' in resolution, `${text} is ${resolution.kind}`);
  return resolution.targets.map((target) => target.text);
}

async function organisation(t: TestContext, hosts?: Record<string, HostAnswer>): Promise<Opened> {
  const opened = await open(t, hosts);
  const { admin, make } = opened;
  await make(admin.addDomain({ name: 'Example.com', servers: ['127.0.0.2:2626'] }));
  await make(admin.addDomain({ name: 'local.example' }));
  await make(admin.addAccount({ address: 'alice@example.com' }));
  return opened;
}

test('an account is found in any case, at once, and keeps the spelling it was written to', async (t) => {
  const opened = await organisation(t);
  const resolution = opened.directory.resolve(rcpt('ALICE@EXAMPLE.com'));
  assert.ok(!isPromise(resolution));
  assert.deepEqual(resolution, {
    kind: 'local',
    account: { address: 'alice@example.com', domain: 'example.com', state: 'active' },
    targets: [rcpt('ALICE@example.com')],
    viaAlias: false,
  });
  assert.equal(await kindOf(opened, 'mallory@example.com'), 'unknown-user');
  assert.equal(await kindOf(opened, 'alice@elsewhere.example'), 'remote');
});

for (const [move, address] of [
  ['a percent hack', 'alice%elsewhere.example@example.com'],
  ['a bang path', 'elsewhere.example!alice@example.com'],
  ['a quoted at sign', '"alice@elsewhere.example"@example.com'],
  ['a source route', '@example.com:alice@example.com'],
] as const) {
  test(`${move} through a local domain is remote`, async (t) => {
    assert.equal(await kindOf(await organisation(t), address), 'remote');
  });
}

test('a sub-address belongs to its mailbox and keeps its text; a longer name of its own comes first', async (t) => {
  const opened = await organisation(t);
  assert.deepEqual(await targetsOf(opened, 'Alice+News@example.com'), ['Alice+News@example.com']);
  assert.equal(await kindOf(opened, 'mallory+news@example.com'), 'unknown-user');
  assert.equal(await kindOf(opened, '+news@example.com'), 'unknown-user');
  await opened.make(opened.admin.addAlias({ address: 'alice+list@example.com', targets: ['list@elsewhere.example'] }));
  assert.deepEqual(await targetsOf(opened, 'alice+list@example.com'), ['list@elsewhere.example']);
  const off = { key: 'directory.subaddressSeparator', owner: { domain: 'example.com' }, value: '' };
  await opened.settings.change([off], 'tester');
  assert.equal(await kindOf(opened, 'alice+news@example.com'), 'unknown-user');
});

test('an alias leads to all that it leads to, through aliases, each once; a loop ends and a dead target is left out', async (t) => {
  const opened = await organisation(t);
  const { admin, make } = opened;
  await make(
    admin.addAlias({
      address: 'all@example.com',
      targets: ['team@example.com', 'alice@example.com', 'gone@example.com'],
    }),
  );
  await make(
    admin.addAlias({
      address: 'team@example.com',
      targets: ['all@example.com', 'bob@elsewhere.example', 'Alice@example.com'],
    }),
  );
  assert.deepEqual(await targetsOf(opened, 'all@example.com'), ['alice@example.com', 'bob@elsewhere.example']);
  for (const [address, target] of [
    ['ping@example.com', 'pong@example.com'],
    ['pong@example.com', 'ping@example.com'],
  ] as const)
    await make(admin.addAlias({ address, targets: [target] }));
  assert.equal(await kindOf(opened, 'ping@example.com'), 'unknown-user');
  const onItself = { address: 'self@example.com', targets: ['alice@example.com', 'Self@example.com'] };
  await assert.rejects(admin.addAlias(onItself), { code: 'directory.invalid', message: /must not lead to itself/ });
});

test('aliases nested deeper than the bound cannot be told, they do not vanish', async (t) => {
  const opened = await organisation(t);
  for (let i = 0; i < 12; i++)
    await opened.make(opened.admin.addAlias({ address: `a${i}@example.com`, targets: [`a${i + 1}@example.com`] }));
  assert.equal(await kindOf(opened, 'a0@example.com'), 'cannot-tell');
});

test('postmaster and abuse are an account or alias, else the server of the domain, else the administrators, else not to be told', async (t) => {
  const opened = await organisation(t);
  assert.deepEqual(await targetsOf(opened, 'postmaster'), ['postmaster@example.com'], 'of the oldest domain');
  assert.equal(await kindOf(opened, 'Postmaster@local.example'), 'cannot-tell');
  const administrators = { key: 'directory.administrators', value: 'root@example.com, ops@elsewhere.example' };
  await opened.settings.change([administrators], 'tester');
  assert.deepEqual(await targetsOf(opened, 'postmaster'), ['root@example.com', 'ops@elsewhere.example']);
  assert.deepEqual(await targetsOf(opened, 'ABUSE@local.example'), ['root@example.com', 'ops@elsewhere.example']);
  assert.deepEqual(await targetsOf(opened, 'abuse@example.com'), ['abuse@example.com']);
  await opened.make(opened.admin.addAlias({ address: 'abuse@example.com', targets: ['alice@example.com'] }));
  assert.deepEqual(await targetsOf(opened, 'abuse@example.com'), ['alice@example.com']);
  assert.equal(await kindOf(opened, 'postmaster@elsewhere.example'), 'remote');
});

test('the postmaster of this node itself, by its name or its addresses, is who the bare one is, with the settings of that domain', async (t) => {
  const opened = await organisation(t);
  const own = ['postmaster', 'Postmaster@mx.postern.example', 'postmaster@[192.0.2.25]', 'abuse@[IPv6:2001:DB8::25]'];
  const found = async (text: string) => opened.directory.resolve(rcpt(text));
  for (const text of own) {
    const resolution = await found(text);
    assert.ok(resolution.kind === 'role', `${text} is ${resolution.kind}`);
    assert.equal(resolution.domain, 'example.com');
    assert.match(resolution.targets[0]!.text, /^(postmaster|abuse)@example\.com$/i);
  }
  for (const text of ['root@mx.postern.example', 'postmaster@[192.0.2.26]', 'postmaster@postern.example'])
    assert.equal((await found(text)).kind, 'remote', text);
});

test('mail servers come in order; who has none gets the default ones, who is not local trusts nobody', async (t) => {
  const { directory, admin, make } = await organisation(t);
  const hosts = async (domain: string) => (await directory.mailServers(domain)).map(({ host }) => host);
  assert.deepEqual(await hosts('local.example'), []);
  await make((await admin.addServer({ server: '127.0.0.5', order: 2, domains: ['example.com'] })).change);
  await make((await admin.addServer({ server: '[::1]:2525', order: -1, domains: ['example.com'] })).change);
  await make((await admin.addServer({ server: '127.0.0.9', isDefault: true })).change);
  assert.deepEqual(await hosts('example.com'), ['::1', '127.0.0.2', '127.0.0.5']);
  assert.deepEqual(await hosts('local.example'), ['127.0.0.9']);
  assert.equal(await directory.isMailServerOf('example.com', '127.0.0.5'), 'yes');
  assert.equal(await directory.isMailServerOf('example.com', '::1'), 'yes');
  assert.equal(await directory.isMailServerOf('example.com', '127.0.0.9'), 'no');
  assert.equal(await directory.isMailServerOf('local.example', '127.0.0.9'), 'yes');
  assert.equal(await directory.isMailServerOf('elsewhere.example', '127.0.0.9'), 'no');
  assert.deepEqual(await directory.mailServerDomains('127.0.0.9'), ['local.example']);
  assert.deepEqual(await directory.mailServerDomains('127.0.0.5'), ['example.com']);
  assert.deepEqual(await directory.mailServerDomains('192.0.2.1'), []);
});

test('what is said of a server that exists is added to what it has', async (t) => {
  const { directory, admin, make } = await organisation(t);
  const first = await admin.addServer({ server: '127.0.0.5', order: 2, domains: ['example.com'] });
  await make(first.change);
  const again = await admin.addServer({ server: '127.0.0.5', isDefault: true, domains: ['example.com'] });
  await make(again.change);
  assert.equal(again.id, first.id);
  const server = (await admin.listServers()).find(({ id }) => id === first.id)!;
  assert.deepEqual([server.order, server.isDefault, server.domains], [2, true, ['example.com']]);
  assert.deepEqual(
    (await directory.mailServers('local.example')).map(({ host }) => host),
    ['127.0.0.5'],
  );
});

test('a server named by host is every address of the name, asked for once a TTL; what cannot be resolved cannot be told', async (t) => {
  const found: HostAnswer = { kind: 'found', addresses: ['192.0.2.5', '2001:db8::5'], ttlSeconds: 60, complete: true };
  const hosts: Record<string, HostAnswer> = { 'mail.example.com': found };
  const { directory, admin, make, asked, clock } = await open(t, hosts);
  await make(admin.addDomain({ name: 'example.com', servers: ['mail.example.com'] }));
  assert.equal(await directory.isMailServerOf('example.com', '192.0.2.5'), 'yes');
  assert.equal(directory.isMailServerOf('example.com', '2001:db8::5'), 'yes', 'at once, the name is known');
  assert.equal(directory.isMailServerOf('example.com', '192.0.2.6'), 'no');
  assert.deepEqual(asked, ['mail.example.com']);
  await clock.advance(61_000);
  hosts['mail.example.com'] = { kind: 'unknown', reason: 'timeout' };
  assert.equal(await directory.isMailServerOf('example.com', '192.0.2.5'), 'cannot-tell');
  await clock.advance(6000);
  hosts['mail.example.com'] = { ...found, complete: false };
  assert.equal(await directory.isMailServerOf('example.com', '192.0.2.5'), 'yes');
  assert.equal(await directory.isMailServerOf('example.com', '192.0.2.6'), 'cannot-tell');
  await make((await admin.addServer({ server: '192.0.2.6', domains: ['example.com'] })).change);
  assert.equal(await directory.isMailServerOf('example.com', '192.0.2.6'), 'yes', 'another server matches');
});

test('a change is seen by the next question: nothing stale is remembered', async (t) => {
  const opened = await organisation(t);
  assert.equal(await kindOf(opened, 'bob@example.com'), 'unknown-user');
  await opened.make(opened.admin.addAccount({ address: 'Bob@example.com' }));
  assert.equal(await kindOf(opened, 'bob@example.com'), 'local');
  await opened.make(opened.admin.removeAccount('bob@EXAMPLE.com'));
  assert.equal(await kindOf(opened, 'bob@example.com'), 'unknown-user');
  await opened.make(opened.admin.removeDomain('example.com'));
  assert.equal(await kindOf(opened, 'alice@example.com'), 'remote');
  assert.deepEqual(await opened.admin.listServers(), [], 'a server that served nobody else goes with the domain');
  assert.deepEqual(await opened.admin.listAccounts(), []);
});

test('a server that two domains name is one server, and stays until the last of them goes', async (t) => {
  const { admin, make, directory } = await organisation(t);
  await make(admin.addDomain({ name: 'example.net', servers: ['127.0.0.2:2626'] }));
  assert.deepEqual(
    (await admin.listServers()).map(({ domains }) => domains),
    [['example.com', 'example.net']],
  );
  await make(admin.removeDomain('example.com'));
  assert.equal((await directory.mailServers('example.net')).length, 1);
});

const REFUSED: readonly (readonly [string, (admin: DirectoryAdmin) => Promise<unknown>, string])[] = [
  ['a domain twice', (admin) => admin.addDomain({ name: 'EXAMPLE.com' }), 'directory.exists'],
  ['a domain that is none', (admin) => admin.addDomain({ name: 'exa mple' }), 'directory.invalid'],
  [
    'a server that is none',
    (admin) => admin.addDomain({ name: 'a.example', servers: ['host:99999'] }),
    'directory.invalid',
  ],
  ['an IPv6 address without brackets', (admin) => admin.addServer({ server: '::1:25' }), 'directory.invalid'],
  ['an account of a foreign domain', (admin) => admin.addAccount({ address: 'a@b.example' }), 'directory.missing'],
  ['an account twice', (admin) => admin.addAccount({ address: 'ALICE@example.com' }), 'directory.exists'],
  [
    'an account that looks like relaying',
    (admin) => admin.addAccount({ address: 'a%b@example.com' }),
    'directory.invalid',
  ],
  [
    'an alias of an account',
    (admin) => admin.addAlias({ address: 'alice@example.com', targets: ['x@y.example'] }),
    'directory.exists',
  ],
  ['an alias to nobody', (admin) => admin.addAlias({ address: 'x@example.com', targets: [] }), 'directory.invalid'],
  ['removing what is not there', (admin) => admin.removeAccount('x@example.com'), 'directory.missing'],
];

for (const [what, act, code] of REFUSED) {
  test(`${what} is refused (${code})`, async (t) => {
    const { admin } = await organisation(t);
    await assert.rejects(act(admin), { code, message: /^cannot / });
  });
}

test('a hundred thousand accounts are looked up without slowing down', async (t) => {
  const opened = await organisation(t);
  const { db, directory, clock } = opened;
  const at = clock.now();
  await db.write([
    {
      sql: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO account (address, domain, state, password, created_at) SELECT 'u' || i || '@example.com', 'example.com', 'active', NULL, ? FROM n`,
      parameters: [at],
      writes: { topic: 'account' },
    },
  ]);
  const startedAt = performance.now();
  let found = 0;
  for (let i = 0; i < 20_000; i++) {
    const resolution = directory.resolve(rcpt(`u${((i * 7919) % 100_000) + 1}@example.com`));
    if (!isPromise(resolution) && resolution.kind === 'local') found++;
  }
  t.diagnostic(`${((performance.now() - startedAt) / 20).toFixed(1)} microseconds a first look-up`);
  assert.equal(found, 20_000);
});

test('a server is trusted in the networks that it sends from, for its own domains, until it is removed', async (t) => {
  const { directory, admin, make } = await organisation(t);
  const { id, change } = await admin.addServer({
    server: 'out.provider.example',
    domains: ['example.com'],
    sendsFrom: ['203.0.113.0/28', '2001:db8::/32'],
  });
  await make(change);
  assert.equal(await directory.isMailServerOf('example.com', '203.0.113.14'), 'yes');
  assert.equal(await directory.isMailServerOf('example.com', '203.0.113.16'), 'no');
  assert.equal(await directory.isMailServerOf('local.example', '203.0.113.14'), 'no');
  assert.deepEqual(await directory.mailServerDomains('2001:db8::1'), ['example.com']);
  await make(admin.removeServer(id));
  assert.equal(await directory.isMailServerOf('example.com', '203.0.113.14'), 'no');
});

test('every tenant of a shared provider is no server of ours, by network or by name', async (t) => {
  const found = { kind: 'found', addresses: ['52.101.1.1'], complete: true, ttlSeconds: 60 } as const;
  const { directory, admin, make } = await organisation(t, { 'x.mail.protection.outlook.com': found });
  for (const network of ['40.107.0.0/16', '40.107.3.4', '0.0.0.0/0', '209.85.*.*'])
    await assert.rejects(admin.addServer({ server: 'out.example.net', sendsFrom: [network] }), {
      code: 'directory.shared',
    });
  await assert.rejects(admin.addServer({ server: 'out.example.net', sendsFrom: ['all'] }), {
    code: 'directory.invalid',
  });
  const { change } = await admin.addServer({ server: 'x.mail.protection.outlook.com', domains: ['example.com'] });
  await make(change);
  assert.equal(await directory.isMailServerOf('example.com', '52.101.1.1'), 'no');
});
