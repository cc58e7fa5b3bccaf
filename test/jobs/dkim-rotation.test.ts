import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkRecord, recordName } from '../../src/directory/signing-keys/check.ts';
import { keepSights } from '../../src/directory/signing-keys/published.ts';
import type { DkimKeyRow } from '../../src/directory/signing-keys/schema.ts';
import {
  type DkimRotationJob,
  type DkimRotationServices,
  dkimRotationJob,
  tendKeys,
} from '../../src/jobs/dkim-rotation.ts';
import { formatKeyRecord } from '../../src/protocol/dkim/record.ts';
import type { SettingsSnapshot } from '../../src/settings/contract.ts';
import { type SigningWorld, signingWorld } from '../deliver/signing/support/world.ts';

const DAY_MS = 86_400_000;

async function open(
  t: TestContext,
): Promise<SigningWorld & { job: DkimRotationJob; states(): Promise<string[]>; publish(): Promise<void> }> {
  const world = await signingWorld(t);
  world.settings['signing.ed25519'] = false;
  const { db: database, dkim, srs, resolver, clock, events } = world;
  const snapshot: SettingsSnapshot = {
    version: 1,
    get: (setting) => (world.settings[setting.key] as never) ?? setting.default,
  };
  const job = dkimRotationJob({
    database,
    dkim,
    srs,
    resolver,
    clock,
    events,
    admin: { listDomains: async () => [{ name: 'example.com', enabled: true, createdAt: 0 }] as never },
    settings: { current: () => snapshot, onChange: () => () => {} },
  });
  return {
    ...world,
    job,
    states: async () => (await dkim.ofDomain('example.com')).map(({ selector, state }) => `${selector} ${state}`),
    async publish() {
      for (const key of await dkim.ofDomain('example.com'))
        world.dns[recordName(key)] = [formatKeyRecord(key.algorithm, key.public_key)];
    },
  };
}

test('a key lives its whole life by the clock: made, seen, signing, followed, retired', async (t) => {
  const { job, states, publish, clock } = await open(t);
  await job.run();
  await job.run();
  assert.deepEqual(await states(), ['p20260105r pending']);
  await publish();
  await job.run();
  assert.deepEqual(await states(), ['p20260105r active']);
  await clock.advance(180 * DAY_MS);
  await job.run();
  assert.deepEqual(await states(), ['p20260105r active', 'p20260704r pending']);
  await publish();
  await job.run();
  assert.deepEqual(await states(), ['p20260105r retiring', 'p20260704r active']);
  await clock.advance(7 * DAY_MS);
  await job.run();
  assert.deepEqual(await states(), ['p20260105r retired', 'p20260704r active']);
});

test('a new domain gets its keys at once, and no other domain is looked at for it', async (t) => {
  const { job, dkim, clock } = await open(t);
  const wait = job.next(clock.now());
  job.added('new.example');
  await job.run();
  assert.deepEqual(
    (await dkim.ofDomain('new.example')).map(({ state }) => state),
    ['pending'],
  );
  assert.deepEqual(await dkim.ofDomain('example.com'), []);
  assert.equal(job.next(clock.now()), wait, 'the others are looked at when they would have been');
  await job.run();
  assert.equal((await dkim.ofDomain('example.com')).length, 1);
});

test('a record that is gone is told once a day, and the key goes on signing', async (t) => {
  const { job, states, publish, clock, events, dns } = await open(t);
  await job.run();
  await publish();
  await job.run();
  for (const name of Object.keys(dns)) delete dns[name];
  await clock.advance(DAY_MS);
  await job.run();
  await job.run();
  assert.equal(events.count('signing.record-wrong'), 1);
  assert.deepEqual(await states(), ['p20260105r active']);
});

test('whoever looks for the record of a key keeps what is new, tells what is wrong, and puts off no daily look', async (t) => {
  const { job, publish, clock, events, dns, dkim, db: database, resolver } = await open(t);
  const look = async (): Promise<void> => {
    const keys = await dkim.ofDomain('example.com');
    const sights = keys.map(async (key) => ({ key, check: await checkRecord(resolver, key) }));
    await keepSights({ database, dkim, clock, events }, await Promise.all(sights));
  };
  const known = async () => (await dkim.ofDomain('example.com')).map(({ check_result }) => check_result);
  await job.run();
  await publish();
  await job.run();
  for (const name of Object.keys(dns)) delete dns[name];
  await clock.advance(DAY_MS / 2);
  await look();
  assert.deepEqual(await known(), ['missing']);
  assert.equal(events.count('signing.record-wrong'), 1);
  await clock.advance(DAY_MS * 0.9);
  await look();
  await job.run();
  assert.equal(events.count('signing.record-wrong'), 1, 'the same again, within a day');
  await clock.advance(DAY_MS * 0.1);
  await job.run();
  assert.equal(events.count('signing.record-wrong'), 2);
  await publish();
  await look();
  assert.deepEqual(await known(), ['published']);
});

test('keys of a new domain that are made from two sides at once are made once, and neither side fails', async (t) => {
  const { db: database, dkim, resolver, clock, events, job } = await open(t);
  const rows: DkimKeyRow[][] = [];
  const settings = { current: () => ({ version: 1, get: (one: { default: unknown }) => one.default }) };
  const services = { database, dkim, resolver, clock, events, settings } as unknown as DkimRotationServices;
  for (const domain of ['example.com', 'example.net']) {
    if (domain === 'example.com') await Promise.all([job.run(), tendKeys(services, domain)]);
    else await Promise.all([tendKeys(services, domain), tendKeys(services, domain), tendKeys(services, domain)]);
    rows.push([...(await dkim.ofDomain(domain))]);
  }
  for (const keys of rows) {
    assert.deepEqual([...new Set(keys.map(({ algorithm }) => algorithm))].length, keys.length, 'one of each kind');
    assert.ok(keys.length >= 1 && keys.every(({ state }) => state === 'pending'));
  }
  assert.equal(events.last('jobs.failed'), undefined);
});
