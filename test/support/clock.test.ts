import assert from 'node:assert/strict';
import test from 'node:test';
import { manualClock } from './clock.ts';

test('the manual clock runs timers in order of time, each at its own time, and promises between them', async () => {
  const clock = manualClock(0);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`second at ${clock.now()}`));
  clock.after(10, () => seen.push(`first at ${clock.now()}`));
  void clock.sleep(10).then(() => {
    seen.push(`slept until ${clock.now()}`);
    clock.after(5, () => seen.push(`made meanwhile, at ${clock.now()}`));
  });
  const cancelled = clock.after(10, () => seen.push('never'));
  cancelled.cancel();
  await clock.advance(20);
  assert.deepEqual(seen, ['first at 10', 'slept until 10', 'made meanwhile, at 15', 'second at 20']);
  assert.equal(clock.pending(), 0);
});

test('a sleep that is aborted rejects and leaves no timer behind', async () => {
  const clock = manualClock();
  const abort = new AbortController();
  const slept = clock.sleep(1000, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(slept, /enough/);
  assert.equal(clock.pending(), 0);
});
