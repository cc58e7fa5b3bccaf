import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBackWhenIdle } from '../../src/world/idle-memory.ts';
import { manualClock } from '../support/clock.ts';

test('memory is given back once for each quiet time, and never while there is work', async () => {
  const clock = manualClock();
  let busy = false;
  let collected = 0;
  let letGo = 0;
  const stop = giveBackWhenIdle({
    clock,
    isBusy: () => busy,
    letGo: () => void letGo++,
    collect() {
      collected++;
      assert.equal(letGo, collected, 'after it is no longer held');
    },
  });
  await clock.advance(10_000);
  assert.equal(collected, 0, 'not at the first look');
  await clock.advance(600_000);
  assert.equal(collected, 1, 'once');
  busy = true;
  await clock.advance(60_000);
  assert.equal(collected, 1, 'not while busy');
  busy = false;
  await clock.advance(60_000);
  assert.equal(collected, 2, 'again after work');
  busy = true;
  await clock.advance(10_000);
  busy = false;
  stop();
  await clock.advance(60_000);
  assert.equal(collected, 2, 'not after the end');
});
