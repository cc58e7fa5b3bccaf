/** Turns: the first goes at once, and who comes sooner than the next turn waits for it with the others. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createBatchWindow } from '../../../src/queue/dispatch/batch-window.ts';
import { manualClock } from '../../support/clock.ts';

test('who comes after a quiet time goes at once, and all who come within the pause go together behind it', async () => {
  const clock = manualClock();
  const { wait } = createBatchWindow(clock, 100);
  const went: string[] = [];
  const come = (name: string): void => void wait().then(() => went.push(`${name} ${clock.monotonic()}`));
  come('a');
  come('b');
  await clock.advance(40);
  come('c');
  assert.deepEqual(went, ['a 0']);
  await clock.advance(60);
  assert.deepEqual(went, ['a 0', 'b 100', 'c 100']);
  come('d');
  await clock.advance(99);
  assert.equal(went.length, 3, 'a turn is a turn, however it was come by');
  await clock.advance(1);
  assert.deepEqual(went.at(-1), 'd 200');
  await clock.advance(1000);
  come('e');
  await clock.advance(0);
  assert.deepEqual(went.at(-1), 'e 1200');
  assert.equal(clock.pending(), 0);
});

test('who is hurried goes now, and the next turn is a whole pause behind', async () => {
  const clock = manualClock();
  const { wait, runNow } = createBatchWindow(clock, 100);
  const went: string[] = [];
  const come = (name: string): void => void wait().then(() => went.push(`${name} ${clock.monotonic()}`));
  await runNow();
  come('a');
  come('b');
  await clock.advance(30);
  await runNow();
  assert.deepEqual(went, ['a 0', 'b 30']);
  come('c');
  await clock.advance(99);
  assert.equal(went.length, 2);
  await clock.advance(1);
  assert.equal(went.at(-1), 'c 130');
  assert.equal(clock.pending(), 0);
});
