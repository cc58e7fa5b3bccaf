/** Every acknowledged message is accounted for, however often the node is killed (500 times: POSTERN_TEST_KILLS=500, or bench/run kill-500). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killUnderLoad } from './support/kill-run.ts';

const KILLS = Number(process.env['POSTERN_TEST_KILLS'] ?? 25);
/** What the domain's mail server may have been sent, but not yet answered, when the node died. */
const MOST_IN_FLIGHT = 20;

test('of many kills under load none loses or alters a message that was answered 250, or leaves one behind', async (t) => {
  const account = await killUnderLoad(t, { kills: KILLS, seed: 20261122 });
  t.diagnostic(JSON.stringify({ ...account, lost: account.lost.length, altered: account.altered.length }));
  assert.deepEqual(account.lost, []);
  assert.deepEqual(account.altered, []);
  assert.equal(account.leftInQueue, 0);
  assert.ok(account.repeated <= KILLS * MOST_IN_FLIGHT, `${account.repeated} repeated: at most what was in active`);
});
