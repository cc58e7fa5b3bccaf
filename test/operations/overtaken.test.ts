/** Acts that somebody else overtakes: a job of this node, or another node that knows nothing of its turns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tendKeys } from '../../src/jobs/dkim-rotation.ts';
import { ROOT, startCore } from '../support/core.ts';

test('keys that the job makes while somebody rotates them stop nobody: rotating looks again', async (t) => {
  const { operations, dkim, store, clock, events, settings, resolver } = await startCore(t);
  const domain = 'one.example';
  await operations.execute('domain.add', { name: domain }, ROOT);
  const job = tendKeys({ database: store.database, dkim, clock, events, settings, resolver } as never, domain);
  const [steps] = await Promise.all([operations.execute('dkim.rotate', { domain }, ROOT), job]);
  const keys = await dkim.ofDomain(domain);
  assert.deepEqual(
    keys.map(({ state }) => state),
    keys.map(() => 'pending'),
  );
  assert.equal(new Set(keys.map(({ algorithm }) => algorithm)).size, keys.length);
  assert.ok(keys.length > 0 && steps.length <= keys.length);
});

test('an address that another node gives away first is refused as taken, not as a fault of the database', async (t) => {
  const { operations, store } = await startCore(t);
  await operations.execute('domain.add', { name: 'one.example' }, ROOT);
  const { database } = store;
  const { write } = database;
  let isFirst = true;
  (database as { write: typeof write }).write = async (unit) => {
    if (isFirst) {
      isFirst = false;
      await write([
        {
          sql: "insert into account (address, domain, state, created_at) values ('a@one.example', 'one.example', 'active', 0)",
          parameters: [],
          writes: { topic: 'account', key: 'a@one.example' },
        },
      ]);
    }
    return write(unit);
  };
  await assert.rejects(operations.execute('user.add', { address: 'a@one.example' }, ROOT), {
    code: 'directory.exists',
  });
});
