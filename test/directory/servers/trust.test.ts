import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createDirectoryAdmin, type NewServer } from '../../../src/directory/admin.ts';
import { createDirectory } from '../../../src/directory/directory.ts';
import { directoryMigrations } from '../../../src/directory/schema.ts';
import { directorySettings } from '../../../src/directory/settings.ts';
import { createSettings } from '../../../src/settings/registry.ts';
import { settingsMigrations } from '../../../src/settings/schema.ts';
import type { PreparedChange } from '../../../src/store/contract.ts';
import { manualClock } from '../../support/clock.ts';
import { memoryDatabase } from '../../support/database.ts';
import { recordedEvents } from '../../support/events.ts';

const SHARED = '203.0.113.7';
const OWN = '198.51.100.7';
const MARKER = 'X-OriginatorOrg: example.com';
const MARK = { kind: 'tenant-marker', header: 'x-originatororg', value: 'example.com' } as const;

/** example.com and other.example; out.host.example has the address OWN. */
async function organisation(t: TestContext, shared: readonly string[] = []) {
  const db = await memoryDatabase(t, ...settingsMigrations, ...directoryMigrations);
  const clock = manualClock();
  const settings = await createSettings(db, Object.values(directorySettings), { clock, events: recordedEvents() });
  const share = (networks: readonly string[]) =>
    settings.change([{ key: 'directory.sharedNetworks', value: networks }], 'test');
  await share(shared);
  const directory = createDirectory(db, {
    settings,
    clock,
    resolveHost: async (name) =>
      name === 'out.host.example'
        ? { kind: 'found', addresses: [OWN], ttlSeconds: 3600, complete: true }
        : { kind: 'none', ttlSeconds: 3600 },
  });
  const admin = createDirectoryAdmin(db, directory, clock);
  const make = async (change: PreparedChange | Promise<PreparedChange>): Promise<void> => {
    const { statements, committed } = await change;
    await db.write(statements);
    committed();
  };
  for (const name of ['example.com', 'other.example']) await make(admin.addDomain({ name }));
  const add = async (server: Partial<NewServer>): Promise<number> => {
    const { id, change } = await admin.addServer({ server: 'out.host.example', domains: ['example.com'], ...server });
    await make(change);
    return id;
  };
  return { directory, admin, make, add, share };
}

test('a network that an operator marked as shared needs a condition, like those of the large providers', async (t) => {
  const { add } = await organisation(t, ['203.0.113.0/24']);
  for (const sendsFrom of [
    SHARED,
    '203.0.113.0/28',
    '203.0.0.0/16',
    'microsoft-365',
    'google',
    '2a01:111:f403:8000::/51',
  ])
    await assert.rejects(add({ sendsFrom: [sendsFrom] }), { code: 'directory.shared' }, sendsFrom);
  await add({ sendsFrom: [SHARED, 'microsoft-365'], tenantMarkers: [MARKER] });
});

test('the address of a server with conditions is nobody’s by itself, and a claim for its own domains', async (t) => {
  const { directory, add } = await organisation(t, ['203.0.113.0/24']);
  await add({ sendsFrom: [SHARED, 'Microsoft-365'], tenantMarkers: [MARKER], signIn: true });
  for (const client of [SHARED, OWN, '40.107.55.105', '2a01:111:f403:c000::5']) {
    assert.equal(await directory.isMailServerOf('example.com', client), 'no');
    assert.deepEqual(await directory.mailServerDomains(client), []);
    const claim = [{ domain: 'example.com', conditions: [{ kind: 'sign-in' }, MARK] }];
    assert.deepEqual(await directory.serverClaims(client, 'example.com'), claim);
    assert.deepEqual(await directory.serverClaims(client), claim);
  }
  assert.deepEqual(await directory.serverClaims('203.0.113.8'), []);
  for (const domain of ['other.example', 'elsewhere.example'])
    assert.deepEqual(await directory.serverClaims(SHARED, domain), []);
});

test('a network that is shared from now on stops counting at once, by whatever way it came in', async (t) => {
  const { directory, add, share } = await organisation(t);
  await add({ sendsFrom: [SHARED] });
  for (const client of [SHARED, OWN]) assert.equal(await directory.isMailServerOf('example.com', client), 'yes');
  await share(['203.0.113.0/24', `${OWN}/32`]);
  for (const client of [SHARED, OWN]) {
    assert.equal(await directory.isMailServerOf('example.com', client), 'no');
    assert.deepEqual(await directory.serverClaims(client), []);
  }
});

test('a server that exists gets networks and conditions, and loses them when it is removed', async (t) => {
  const { directory, admin, add, make } = await organisation(t, [SHARED]);
  const id = await add({});
  await assert.rejects(add({ sendsFrom: [SHARED] }), { code: 'directory.shared' });
  assert.equal(directory.asksCertificates(), false);
  const fingerprint = 'AB:'.repeat(31).concat('ab');
  assert.equal(await add({ clientCertificates: [fingerprint, 'Mail.Example.COM'] }), id);
  await add({ sendsFrom: [SHARED] });
  assert.equal(directory.asksCertificates(), true);
  const [server] = await admin.listServers();
  assert.deepEqual(server?.sendsFrom, [SHARED]);
  assert.deepEqual(server?.conditions, [
    { kind: 'client-certificate', value: 'ab'.repeat(32) },
    { kind: 'client-certificate', value: 'mail.example.com' },
  ]);
  await make(admin.removeServer(id));
  assert.equal(await add({}), id, 'the number is used again');
  assert.equal((await admin.listServers())[0]?.conditions, undefined);
  assert.equal(directory.asksCertificates(), false);
});

test('a marker without value, a certificate that is no name, and a provider’s own certificate are refused', async (t) => {
  const { add } = await organisation(t);
  for (const marker of [
    '',
    'X-OriginatorOrg',
    'X-OriginatorOrg:',
    'X-OriginatorOrg:   ',
    ': x',
    'X Y: z',
    'X: a\r\nY: b',
    'X: ü',
  ])
    await assert.rejects(add({ tenantMarkers: [marker] }), { code: 'directory.invalid' }, marker);
  for (const certificate of ['', 'abc', 'zz'.repeat(32), '*.example.com'])
    await assert.rejects(add({ clientCertificates: [certificate] }), { code: 'directory.invalid' }, certificate);
  await assert.rejects(add({ clientCertificates: ['mail.protection.outlook.com'] }), { code: 'directory.shared' });
});
