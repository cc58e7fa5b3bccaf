import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthGuard } from '../../src/receive/auth-guard.ts';
import { AUTH_FAILURE_WINDOW_MS, AUTH_NETWORKS } from '../../src/receive/limits.ts';
import { manualClock } from '../support/clock.ts';

const MOST = 50;

test('a guesser who goes through the networks of an IPv6 /48 is shut out with all of them, and evicts nobody', async () => {
  const clock = manualClock();
  const guard = createAuthGuard(clock);
  for (let n = 0; n < MOST; n++) guard.failed('192.0.2.7');
  let looked = 0;
  for (let n = 0; n < 2 * AUTH_NETWORKS; n++) {
    const address = `2001:db8:1:${n.toString(16)}::1`;
    if (guard.isShut(address, MOST)) continue;
    looked++;
    guard.failed(address);
  }
  assert.equal(looked, 4 * MOST);
  assert.ok(guard.isShut('192.0.2.7', MOST), 'the other guesser is not forgotten');
  assert.ok(!guard.isShut('2001:db8:2:1::1', MOST), 'another site signs in');
  assert.ok(!guard.isShut('192.0.2.8', MOST));
  await clock.advance(AUTH_FAILURE_WINDOW_MS + 1);
  assert.ok(!guard.isShut('2001:db8:1:1::1', MOST));
});
