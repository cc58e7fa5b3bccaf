import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { amount, defineSettings, flag } from '../../src/settings/define.ts';
import {
  differencesToDefaults,
  differencesToFile,
  exportSettings,
  importChanges,
} from '../../src/settings/exchange.ts';
import { createSettings } from '../../src/settings/registry.ts';
import { settingsMigrations } from '../../src/settings/schema.ts';
import { manualClock } from '../support/clock.ts';
import { memoryDatabase } from '../support/database.ts';
import { recordedEvents } from '../support/events.ts';

const smtp = defineSettings('smtp', {
  strict: flag(true, 'Whether.', { scope: 'account' }),
  maxMessageBytes: amount(1000, 'bytes', { min: 1, max: 1e12 }, 'How large.', { scope: 'domain' }),
});

async function registry(t: TestContext) {
  const db = await memoryDatabase(t, ...settingsMigrations);
  return createSettings(db, Object.values(smtp), { clock: manualClock(), events: recordedEvents() });
}

const FILE = `global:
  smtp.maxMessageBytes: 20MiB
domains:
  Example.com:
    smtp.maxMessageBytes: 5000
accounts:
  alice@example.com:
    smtp.strict: off
`;

test('a file comes in as one change, goes out again, and then differs from nothing', async (t) => {
  const settings = await registry(t);
  await settings.change(importChanges(FILE, settings.stored(), { replace: false }), 'tester');
  assert.equal(settings.current().get(smtp.maxMessageBytes), 20 * 1024 * 1024);
  assert.equal(settings.current().get(smtp.strict, { account: 'alice@example.com' }), false);
  const exported = exportSettings(settings.stored());
  assert.equal(
    exported,
    `global:
  smtp.maxMessageBytes: 20971520
domains:
  example.com:
    smtp.maxMessageBytes: 5000
accounts:
  alice@example.com:
    smtp.strict: false
`,
  );
  assert.deepEqual(differencesToFile(settings, exported), []);
  assert.deepEqual(differencesToFile(settings, FILE), []);
  assert.equal(differencesToDefaults(settings).length, 3);
  assert.deepEqual(differencesToFile(settings, 'global:\n  smtp.maxMessageBytes: 7\n'), [
    { key: 'smtp.maxMessageBytes', owner: {}, current: 20971520, other: 7 },
    { key: 'smtp.maxMessageBytes', owner: { domain: 'example.com' }, current: 5000, other: undefined },
    { key: 'smtp.strict', owner: { account: 'alice@example.com' }, current: false, other: undefined },
  ]);
});

test('a value that was set and is the default differs from nothing, unless it stands below another', async (t) => {
  const settings = await registry(t);
  await settings.change([{ key: smtp.strict.key, owner: {}, value: smtp.strict.default }], 'test');
  assert.deepEqual(differencesToDefaults(settings), []);
  const domain = {
    key: smtp.maxMessageBytes.key,
    owner: { domain: 'example.com' },
    value: smtp.maxMessageBytes.default,
  };
  await settings.change([domain], 'test');
  assert.deepEqual(differencesToDefaults(settings), []);
  await settings.change([{ key: smtp.maxMessageBytes.key, owner: {}, value: 5000 }], 'test');
  assert.equal(differencesToDefaults(settings).length, 2);
});

test('an import that replaces resets what the file does not name; one that merges leaves it', async (t) => {
  const settings = await registry(t);
  const read = (file: string, replace: boolean) => importChanges(file, settings.stored(), { replace });
  await settings.change(read(FILE, false), 'tester');
  await settings.change(read('global:\n  smtp.strict: false\n', false), 'tester');
  assert.equal(settings.stored().length, 4);
  await settings.change(read('global:\n  smtp.strict: false\n', true), 'tester');
  assert.deepEqual(
    settings.stored().map(({ key }) => key),
    ['smtp.strict'],
  );
});

for (const [what, file, message] of [
  ['no YAML', 'global: [', /must be YAML/],
  ['a list', '- a', /it must be a table/],
  ['an unknown section', 'globe: {}', /globe must be one of global, domains, accounts/],
  ['a section that is no table', 'global: 5', /global must be a table/],
  ['a domain that is none', 'domains:\n  exa mple:\n    a.b: 1', /must be a domain: current value is exa mple/],
  [
    'a thousandfold alias',
    `a: &a [${'x,'.repeat(10)}]\nb: &b [${'*a,'.repeat(10)}]\nc: [${'*b,'.repeat(50)}]\n`,
    /cannot read the settings file/,
  ],
] as const) {
  test(`a settings file with ${what} is refused`, () => {
    assert.throws(() => importChanges(file, [], { replace: false }), { name: 'OperationalError', message });
  });
}
