import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openCorrespondents } from '../../../src/directory/addresses/correspondents.ts';
import { createDirectoryAdmin } from '../../../src/directory/admin.ts';
import { createDirectory } from '../../../src/directory/directory.ts';
import { CORRESPONDENT_DOMAINS, CORRESPONDENT_WRITE_MS } from '../../../src/directory/limits.ts';
import { directoryMigrations } from '../../../src/directory/schema.ts';
import { directorySettings } from '../../../src/directory/settings.ts';
import { isPromise } from '../../../src/model/maybe-promise.ts';
import { createSettings } from '../../../src/settings/registry.ts';
import { settingsMigrations } from '../../../src/settings/schema.ts';
import type { PreparedChange } from '../../../src/store/contract.ts';
import { manualClock } from '../../support/clock.ts';
import { memoryDatabase } from '../../support/database.ts';
import { recordedEvents } from '../../support/events.ts';

async function open(t: TestContext) {
  const db = await memoryDatabase(t, ...settingsMigrations, ...directoryMigrations);
  const clock = manualClock();
  const settings = await createSettings(db, Object.values(directorySettings), { clock, events: recordedEvents() });
  const resolveHost = async () => ({ kind: 'none', ttlSeconds: 60 }) as const;
  const directory = createDirectory(db, { settings, clock, resolveHost });
  const admin = createDirectoryAdmin(db, directory, clock);
  const make = async (change: Promise<PreparedChange>): Promise<void> => {
    const { statements, committed } = await change;
    await db.write(statements);
    committed();
  };
  await make(admin.addDomain({ name: 'example.com' }));
  return { db, clock, directory, admin, make };
}

test('accounts that have a name are known by it, and those without are not', async (t) => {
  const { directory, admin, make } = await open(t);
  await make(admin.addAccount({ address: 'jane@example.com', name: ' Jane Doe ' }));
  await make(admin.addAccount({ address: 'robot@example.com' }));
  assert.deepEqual(await directory.identities(), {
    domains: ['example.com'],
    people: [{ name: 'Jane Doe', address: 'jane@example.com' }],
  });
  const names = (await admin.listAccounts()).map(({ name }) => name);
  assert.deepEqual(names, ['Jane Doe', '']);
});

test('the list is the same object until the directory changes, and then the next one soon', async (t) => {
  const { directory, admin, make } = await open(t);
  await make(admin.addAccount({ address: 'jane@example.com' }));
  const before = await directory.identities();
  assert.equal(directory.identities(), before);
  await make(admin.setName('jane@example.com', 'Jane Doe'));
  assert.equal(directory.identities(), before, 'nobody waits for the new list');
  while (directory.identities() === before) await new Promise(setImmediate);
  const after = directory.identities();
  assert.ok(!isPromise(after));
  assert.equal(after.people[0]?.name, 'Jane Doe');
});

test('a name longer than the bound is refused with its length', async (t) => {
  const { admin } = await open(t);
  await assert.rejects(
    admin.addAccount({ address: 'a@example.com', name: 'x'.repeat(201) }),
    /at most 200.*it has 201/,
  );
});

test('correspondents survive a restart, with what was counted before and after', async (t) => {
  const { db, clock } = await open(t);
  const first = await openCorrespondents(db, clock);
  for (let i = 0; i < 3; i++) first.count('partner.example');
  await first.close();
  const second = await openCorrespondents(db, clock);
  assert.ok(second.knows('partner.example', 1) && !second.knows('partnar.example', 1));
  assert.deepEqual(second.frequent(4), []);
  second.count('partner.example');
  assert.deepEqual(second.frequent(4), ['partner.example']);
  await second.close();
  assert.deepEqual((await openCorrespondents(db, clock)).frequent(4), ['partner.example']);
});

test('counts are written by themselves, in groups', async (t) => {
  const { db, clock } = await open(t);
  const counting = await openCorrespondents(db, clock);
  counting.count('partner.example');
  await clock.advance(CORRESPONDENT_WRITE_MS);
  await counting.flush();
  assert.ok((await openCorrespondents(db, clock)).knows('partner.example', 1));
});

test('past the bound those written to least go, and the others stay', async (t) => {
  const { db, clock } = await open(t);
  const counting = await openCorrespondents(db, clock);
  for (let i = 0; i < 2; i++) counting.count('partner.example');
  for (let i = 0; i < CORRESPONDENT_DOMAINS; i++) counting.count(`d${i}.example`);
  assert.ok(counting.knows('partner.example', 1));
  assert.ok(!counting.knows('d0.example', 1));
  await counting.close();
  assert.ok(!(await openCorrespondents(db, clock)).knows('d0.example', 1));
});

test('a database that is full loses no count', async (t) => {
  const { db, clock } = await open(t);
  let full = true;
  const failing = {
    ...db,
    write: (unit: Parameters<typeof db.write>[0]) => (full ? Promise.reject(new Error('full')) : db.write(unit)),
  };
  const counting = await openCorrespondents(failing, clock);
  counting.count('partner.example');
  await assert.rejects(counting.flush(), /full/);
  full = false;
  await counting.close();
  assert.ok((await openCorrespondents(db, clock)).knows('partner.example', 1));
});
