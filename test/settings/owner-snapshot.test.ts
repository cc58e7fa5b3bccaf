import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, defineSettings } from '../../src/settings/define.ts';
import { createSnapshot } from '../../src/settings/snapshot.ts';

const { limit } = defineSettings('test', { limit: count(1, { min: 1, max: 10 }, 'A limit.', { scope: 'account' }) });

test('an account inherits from its domain without the caller naming it', () => {
  const snapshot = createSnapshot(1, new Map([['example.com', new Map([['test.limit', 5]])]]));
  assert.equal(snapshot.get(limit, { account: 'alice@example.com' }), 5);
  assert.equal(snapshot.get(limit, { account: 'alice@example.com', domain: 'example.net' }), 1);
  assert.equal(snapshot.get(limit), 1);
});
