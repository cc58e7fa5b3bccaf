import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT, startCore } from '../support/core.ts';

test('a value that is tried is checked as one that is set, and nothing is set', async (t) => {
  const { operations, settings } = await startCore(t);
  const replay = (key: string, value: unknown, domain?: string) =>
    operations.execute('replay.run', { since: 0, set: [{ key, value }], ...(domain && { domain }) }, ROOT);
  await assert.rejects(replay('spf.actoin', 'quarantine'), { code: 'settings.unknown' });
  await assert.rejects(replay('spf.action', 'hold'), { code: 'settings.invalid' });
  await assert.rejects(replay('spf.action', 'quarantine', 'elsewhere.example'), { code: 'directory.missing' });
  await assert.rejects(replay('lookAlikeDomain.allowed', ['com']), { code: 'settings.doubtful' });
  await operations.execute('domain.add', { name: 'example.com' }, ROOT);
  await assert.rejects(replay('smtp.maxHops', 10, 'example.com'), { code: 'settings.invalid' });
  const nothing = { messages: 0, unknown: 0, why: {}, changed: [], changedRecipients: 0 };
  assert.deepEqual(await replay('spf.action', 'quarantine', 'example.com'), nothing);
  assert.deepEqual(settings.stored(), []);
});

test('what is not in the queue cannot be checked again', async (t) => {
  const { operations } = await startCore(t);
  await assert.rejects(operations.execute('queue.recheck', { id: 'nothing' }, ROOT), { code: 'queue.missing' });
});
