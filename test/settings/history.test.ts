/** Who changed which setting from what to what, and what brings it back. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { defineSettings, flag, list, text } from '../../src/settings/define.ts';
import { createSettingsHistory } from '../../src/settings/history.ts';
import { historyStatements } from '../../src/settings/history-schema.ts';
import { HISTORY_VALUES } from '../../src/settings/limits.ts';
import { createSettings, type SettingChange } from '../../src/settings/registry.ts';
import { settingsMigrations } from '../../src/settings/schema.ts';
import { manualClock } from '../support/clock.ts';
import { type MemoryDatabase, memoryDatabase } from '../support/database.ts';
import { recordedEvents } from '../support/events.ts';

const group = defineSettings('test', {
  name: text('', 'A name.', { scope: 'account' }),
  names: list([], 'Names.', { scope: 'domain' }),
  flag: flag(false, 'A flag.'),
});
const secret = { ...defineSettings('test', { token: text('', 'A token.') }).token, secret: true };
const DEFINITIONS = [...Object.values(group), secret];
const ONE = { domain: 'one.example' };

async function open(t: TestContext, existing?: MemoryDatabase) {
  const db = existing ?? (await memoryDatabase(t, ...settingsMigrations));
  const clock = manualClock();
  const settings = await createSettings(db, DEFINITIONS, { clock, events: recordedEvents() });
  const history = createSettingsHistory(db, settings);
  const set = (changes: readonly SettingChange[], by = 'alice', comment?: string): Promise<void> =>
    settings.change(changes, by, { comment });
  const rows = async () => (await history.list({}, {})).rows;
  return { db, clock, settings, history, set, rows };
}

test('each change is kept with what was before and after, who made it, when and why', async (t) => {
  const { set, rows, clock } = await open(t);
  const at = clock.now();
  await set([{ key: 'test.name', value: 'a' }], 'alice', 'ticket 7');
  await set([
    { key: 'test.name', value: 'b' },
    { key: 'test.names', owner: ONE, value: 'x, y' },
  ]);
  await set([{ key: 'test.name', value: undefined }], 'bob');
  const common = { at, secret: false };
  assert.deepEqual(await rows(), [
    { ...common, revision: 3, by: 'bob', key: 'test.name', owner: {}, before: 'b', comment: '' },
    { ...common, revision: 2, by: 'alice', key: 'test.name', owner: {}, before: 'a', after: 'b', comment: '' },
    { ...common, revision: 2, by: 'alice', key: 'test.names', owner: ONE, after: ['x', 'y'], comment: '' },
    { ...common, revision: 1, by: 'alice', key: 'test.name', owner: {}, after: 'a', comment: 'ticket 7' },
  ]);
});

test('a change that changes nothing is no revision', async (t) => {
  const { set, rows } = await open(t);
  await set([{ key: 'test.flag', value: true }]);
  await set([{ key: 'test.flag', value: true }]);
  await set([{ key: 'test.name', value: undefined }]);
  assert.equal((await rows()).length, 1);
});

test('the count of revisions survives a restart, and the removal of what they changed', async (t) => {
  const { db, set } = await open(t);
  await set([{ key: 'test.flag', value: true }]);
  await db.write([{ sql: 'DELETE FROM setting_change', parameters: [] }]);
  const again = await open(t, db);
  await again.set([{ key: 'test.flag', value: false }]);
  assert.deepEqual(
    (await again.rows()).map(({ revision }) => revision),
    [2],
  );
});

test('of a secret only that it changed is kept, and so it cannot be undone', async (t) => {
  const { db, set, rows, history } = await open(t);
  await set([{ key: 'test.token', value: 'hunter2' }]);
  await set([{ key: 'test.token', value: 'correct horse' }]);
  for (const row of await rows()) assert.deepEqual([row.secret, row.before, row.after], [true, undefined, undefined]);
  const kept = await db.read({ sql: 'SELECT * FROM setting_change', parameters: [] });
  assert.ok(!/hunter2|horse/.test(JSON.stringify(kept)));
  await assert.rejects(history.undo(2, {}), { code: 'settings.secret' });
});

test('an undone revision brings all its values back, and is a revision itself', async (t) => {
  const { set, settings, history, rows } = await open(t);
  await set([{ key: 'test.name', value: 'a' }]);
  await set([
    { key: 'test.name', value: 'b' },
    { key: 'test.names', owner: ONE, value: 'x' },
  ]);
  await set(await history.undo(2, {}), 'bob');
  assert.deepEqual(
    settings.stored().map(({ key, value }) => [key, value]),
    [['test.name', 'a']],
  );
  assert.equal((await rows())[0]!.revision, 3);
  await set(await history.undo(3, {}), 'bob');
  assert.equal(settings.current().get(group.name), 'b');
  assert.deepEqual(settings.current().get(group.names, ONE), ['x']);
});

test('a value that changed since is not undone unless somebody insists', async (t) => {
  const { set, settings, history } = await open(t);
  await set([{ key: 'test.name', value: 'a' }]);
  await set([{ key: 'test.name', value: 'b' }], 'bob');
  await assert.rejects(history.undo(1, {}), { code: 'settings.conflict', message: /test\.name .* bob set it/ });
  await set(await history.undo(1, { force: true }));
  assert.deepEqual(settings.stored(), []);
  await assert.rejects(history.undo(2, {}), { code: 'settings.conflict', message: /reset since/ });
  await assert.rejects(history.undo(99, {}), { code: 'settings.missing' });
});

test('what is removed with its owner is in the history', async (t) => {
  const { db, set, settings, history } = await open(t);
  await set([{ key: 'test.names', owner: ONE, value: 'x' }]);
  const forgotten = settings.prepareForget([ONE], 'alice');
  await db.write(forgotten.statements);
  forgotten.committed();
  const [last] = (await history.list({ owner: ONE }, {})).rows;
  assert.deepEqual([last?.before, last?.after, last?.comment], [['x'], undefined, 'removed with its owner']);
});

test('the history comes in pages, of one key, one owner or some domains, each row once', async (t) => {
  const { set, history } = await open(t);
  const owners = [{}, ONE, { domain: 'two.example' }, { account: 'a@one.example' }, { account: 'a@twoXexample.net' }];
  for (const value of ['a', 'b', 'c']) await set(owners.map((owner) => ({ key: 'test.name', owner, value })));
  await set([{ key: 'test.flag', value: true }]);
  const all: string[] = [];
  let after: string | undefined;
  do {
    const page = await history.list({ key: 'test.name' }, { limit: 4, after });
    all.push(...page.rows.map(({ revision, owner }) => `${revision} ${owner.account ?? owner.domain ?? ''}`));
    after = page.next;
  } while (after !== undefined);
  assert.equal(new Set(all).size, 15);
  assert.equal(all.length, 15);
  assert.equal((await history.list({ owner: ONE }, {})).rows.length, 3);
  assert.equal((await history.list({ owner: {} }, {})).rows.length, 4);
  assert.equal((await history.list({ domains: ['one.example'] }, {})).rows.length, 6);
  assert.equal((await history.list({ domains: ['two_example.net'] }, {})).rows.length, 0);
  await assert.rejects(history.list({}, { after: 'nonsense' }), { code: 'operation.input' });
});

test('the oldest revisions go where there are too many, and the last stays whole', async (t) => {
  const { db, set } = await open(t);
  const past = historyStatements('sqlite');
  const row = { owner: '', key: 'test.name', after: '1', secret: 0, changed_at: 0, changed_by: '', comment: '' };
  const rows = Array.from({ length: HISTORY_VALUES }, () => [past.begin({}), past.record(row)]);
  await db.write(rows.flat());
  const count = async () =>
    (await db.read({ sql: 'SELECT count(*) AS n, max(revision) AS last FROM setting_change', parameters: [] }))[0];
  await set([{ key: 'test.name', value: 'a' }]);
  assert.deepEqual({ ...(await count()) }, { n: HISTORY_VALUES, last: HISTORY_VALUES + 1 });
  await set([
    { key: 'test.name', value: 'b' },
    { key: 'test.flag', value: true },
  ]);
  assert.deepEqual({ ...(await count()) }, { n: HISTORY_VALUES, last: HISTORY_VALUES + 2 });
});
