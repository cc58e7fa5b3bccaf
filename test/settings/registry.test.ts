import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { OperationalError } from '../../src/model/errors.ts';
import { amount, choice, count, defineSettings, flag, list, text } from '../../src/settings/define.ts';
import { type AnySetting, createSettings, type SettingsRegistry } from '../../src/settings/registry.ts';
import { settingsMigrations } from '../../src/settings/schema.ts';
import { manualClock } from '../support/clock.ts';
import { type MemoryDatabase, memoryDatabase } from '../support/database.ts';
import { recordedEvents } from '../support/events.ts';

const smtp = defineSettings('smtp', {
  maxRecipients: count(100, { min: 1, max: 10_000 }, 'Recipients a message may have.', { scope: 'domain' }),
  maxMessageBytes: amount(1000, 'bytes', { min: 1, max: 1e12 }, 'How large.', { scope: 'account' }),
  idleMs: amount(300_000, 'ms', { min: 1000, max: 86_400_000 }, 'How long.'),
  strict: flag(true, 'Whether.', { scope: 'account' }),
  bareNewlines: choice(['refuse', 'normalise'], 'refuse', 'What to do.'),
  addresses: list([], 'Which.'),
  smartHost: text('', 'Where to.', {
    check: (value) => (value === '' || value.includes(':') ? undefined : 'must be host:port'),
  }),
});
const DEFINITIONS: readonly AnySetting[] = Object.values(smtp);

async function registry(t: TestContext, existing?: MemoryDatabase) {
  const db = existing ?? (await memoryDatabase(t, ...settingsMigrations));
  const events = recordedEvents();
  const settings = await createSettings(db, DEFINITIONS, { clock: manualClock(), events });
  return { db, events, settings };
}

const set = (settings: SettingsRegistry, key: string, value: unknown, owner = {}) =>
  settings.change([{ key, owner, value }], 'tester');

test('an account inherits from its domain, the domain from the whole node, the node from the default', async (t) => {
  const { settings } = await registry(t);
  const alice = { account: 'alice@example.com' };
  const get = () => settings.current().get(smtp.maxMessageBytes, alice);
  assert.equal(get(), 1000);
  await set(settings, 'smtp.maxMessageBytes', 2000);
  assert.equal(get(), 2000);
  await set(settings, 'smtp.maxMessageBytes', 3000, { domain: 'Example.COM' });
  assert.equal(get(), 3000);
  await set(settings, 'smtp.maxMessageBytes', 4000, { account: 'Alice@example.com' });
  assert.equal(get(), 4000);
  assert.equal(settings.current().get(smtp.maxMessageBytes, { domain: 'example.com' }), 3000);
  assert.equal(settings.current().get(smtp.maxMessageBytes, { domain: 'example.net' }), 2000);
  assert.equal(settings.current().get(smtp.maxMessageBytes), 2000);
  await set(settings, 'smtp.maxMessageBytes', undefined, alice);
  assert.equal(get(), 3000);
});

test('a false or empty value of an owner is a value, not the absence of one', async (t) => {
  const { settings } = await registry(t);
  await set(settings, 'smtp.strict', false, { domain: 'example.com' });
  assert.equal(settings.current().get(smtp.strict, { domain: 'example.com' }), false);
});

test('a snapshot that was taken never changes, and a listener gets the next one with the keys that changed', async (t) => {
  const { settings } = await registry(t);
  const before = settings.current();
  const heard: [number, readonly string[]][] = [];
  const stop = settings.onChange((snapshot, keys) => heard.push([snapshot.get(smtp.idleMs), keys]));
  await settings.change(
    [
      { key: 'smtp.idleMs', value: 5000 },
      { key: 'smtp.strict', value: false },
    ],
    'tester',
  );
  assert.equal(before.get(smtp.idleMs), 300_000);
  assert.deepEqual(heard, [[5000, ['smtp.idleMs', 'smtp.strict']]]);
  stop();
  await set(settings, 'smtp.idleMs', 6000);
  assert.equal(heard.length, 1);
});

test('one wrong value of many keeps all of them out, and every wrong one is told', async (t) => {
  const { settings, db } = await registry(t);
  const changes = [
    { key: 'smtp.idleMs', value: 5000 },
    { key: 'smtp.maxRecipients', value: 0 },
    { key: 'smtp.maxRecipient', value: 1 },
    { key: 'smtp.idleMs', owner: { domain: 'example.com' }, value: 5000 },
  ];
  await assert.rejects(settings.change(changes, 'tester'), (error: Error) => {
    assert.deepEqual(error.message.split('\n'), [
      'cannot set smtp.maxRecipients, as it must be a whole number from 1 to 10000: current value is 0',
      'cannot find smtp.maxRecipient, as it must be a setting that exists, did you mean smtp.maxRecipients?',
      'cannot set smtp.idleMs for example.com, as it must be set for the whole node, not for example.com: current value is 5000',
    ]);
    return true;
  });
  assert.equal(settings.current().get(smtp.idleMs), 300_000);
  assert.equal(db.units(), 0);
});

test('what another registry over the same database sets is seen at once, with the keys that changed', async (t) => {
  const { settings, db, events } = await registry(t);
  const { settings: other } = await registry(t, db);
  const heard: (readonly string[])[] = [];
  settings.onChange((_, keys) => heard.push(keys));
  await set(other, 'smtp.idleMs', 5000);
  await set(other, 'smtp.strict', false, { domain: 'example.com' });
  await settled(db);
  assert.equal(settings.current().get(smtp.idleMs), 5000);
  assert.equal(settings.current().get(smtp.strict, { domain: 'example.com' }), false);
  const forget = other.prepareForget([{ domain: 'example.com' }], 'tester');
  await db.write(forget.statements);
  forget.committed();
  await settled(db);
  assert.deepEqual(
    settings.stored().map(({ key }) => key),
    ['smtp.idleMs'],
  );
  assert.deepEqual(heard, [['smtp.idleMs'], ['smtp.strict'], ['smtp.strict']]);
  assert.equal(events.last('settings.changed'), undefined, 'the event is of the one who changed it');
});

test('a change that is announced late takes nothing back that came after it', async (t) => {
  const { settings, db } = await registry(t);
  const { settings: other } = await registry(t, db);
  const late = settings.prepare([{ key: 'smtp.idleMs', value: 5000 }], 'tester');
  await db.write(late.statements);
  await set(other, 'smtp.idleMs', 6000);
  late.committed();
  await settled(db);
  assert.equal(settings.current().get(smtp.idleMs), 6000);
});

/** Where nothing is read at once, until what was published is read. */
async function settled(db: MemoryDatabase): Promise<void> {
  if (!db.readNow) for (let i = 0; i < 3; i++) await db.read({ sql: 'select 1', parameters: [] });
}

test('a change that the disk refuses is not seen in memory either', async (t) => {
  const { settings, db } = await registry(t);
  db.fail(new OperationalError('store.full', 'the disk is full'));
  await assert.rejects(set(settings, 'smtp.idleMs', 5000), { code: 'store.full' });
  assert.equal(settings.current().get(smtp.idleMs), 300_000);
  assert.deepEqual(settings.stored(), []);
});

for (const [key, value, sentence] of [
  ['smtp.maxRecipients', '-1', 'a whole number from 1 to 10000: current value is -1'],
  ['smtp.maxRecipients', '2.5', 'a whole number from 1 to 10000: current value is 2.5'],
  ['smtp.maxMessageBytes', '20 miles', 'a whole number of bytes from 1 to 1000000000000: current value is 20 miles'],
  ['smtp.strict', 'perhaps', 'true or false: current value is perhaps'],
  ['smtp.bareNewlines', 'drop', 'one of refuse, normalise: current value is drop'],
  ['smtp.smartHost', 'relay', 'host:port: current value is relay'],
  [
    'smtp.addresses',
    [1],
    'a list of at most 10000 entries, each text of at most 1000 characters (wrong at /0): current value is [1]',
  ],
] as const) {
  test(`${key} = ${JSON.stringify(value)} is refused with what it must be`, async (t) => {
    const { settings } = await registry(t);
    await assert.rejects(set(settings, key, value), {
      code: 'settings.invalid',
      message: new RegExp(`^cannot set ${key}, as it must be ${sentence.replace(/[()[\]/]/g, '\\$&')}$`),
    });
  });
}

test('what was set is there again after a restart; what became invalid falls back with an event; what is unknown stays and is shown', async (t) => {
  const { settings, db } = await registry(t);
  await set(settings, 'smtp.idleMs', '10s');
  const row = (key: string, value: unknown) => ({
    sql: 'INSERT INTO setting VALUES (?, ?, ?, ?, 1, ?)',
    parameters: ['global', '', key, JSON.stringify(value), 'tester'],
  });
  await db.write([row('smtp.maxRecipients', 'many'), row('smtp.ofTomorrow', { a: 1 })]);
  const again = await registry(t, db);
  assert.equal(again.settings.current().get(smtp.idleMs), 10_000);
  assert.equal(again.settings.current().get(smtp.maxRecipients), 100);
  assert.deepEqual(again.events.last('settings.invalid'), {
    key: 'smtp.maxRecipients',
    owner: '',
    value: 'many',
    must: 'must be a whole number from 1 to 10000',
  });
  assert.deepEqual(
    again.settings.stored().map(({ key, state }) => [key, state]),
    [
      ['smtp.idleMs', 'valid'],
      ['smtp.maxRecipients', 'invalid'],
      ['smtp.ofTomorrow', 'unknown'],
    ],
  );
  await again.settings.change([{ key: 'smtp.ofTomorrow', value: undefined }], 'tester');
  assert.equal(again.settings.stored().length, 2);
});

test('an owner that ceases to be takes its settings along', async (t) => {
  const { settings, db } = await registry(t);
  await set(settings, 'smtp.strict', false, { domain: 'example.com' });
  await set(settings, 'smtp.strict', false, { domain: 'example.net' });
  const forget = settings.prepareForget([{ domain: 'example.com' }], 'tester');
  await db.write(forget.statements);
  forget.committed();
  assert.equal(settings.current().get(smtp.strict, { domain: 'example.com' }), true);
  assert.deepEqual(
    settings.stored().map(({ owner }) => owner),
    [{ domain: 'example.net' }],
  );
});

test('any sequence of changes reads the same from memory as from the disk', async (t) => {
  const owner = fc.constantFrom({}, { domain: 'a.example' }, { domain: 'b.example' }, { account: 'x@a.example' });
  const change = fc.record({
    key: fc.constantFrom('smtp.strict', 'smtp.maxMessageBytes'),
    owner,
    value: fc.constantFrom(undefined, true, false, 5, 7),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      const { settings, db } = await registry(t);
      for (const one of changes) await settings.change([one], 'tester').catch(() => {});
      const { settings: again } = await registry(t, db);
      for (const who of [{}, { domain: 'a.example' }, { account: 'x@a.example' }, { account: 'y@b.example' }])
        for (const setting of [smtp.strict, smtp.maxMessageBytes] as const)
          assert.equal(settings.current().get<unknown>(setting, who), again.current().get<unknown>(setting, who));
    }),
    { numRuns: 50 },
  );
});
