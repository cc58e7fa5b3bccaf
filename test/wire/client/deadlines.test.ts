/** Time-outs of many connections by one sweep: none late beyond its bound, none with a crowd of others. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createDeadlines, type Watched } from '../../../src/wire/client/deadlines.ts';
import { CLIENT_LIMITS } from '../../../src/wire/client/limits.ts';
import { manualClock } from '../../support/clock.ts';

test('of a hundred hosts a second that never answer, each is left in time and only a few at once', async () => {
  const clock = manualClock();
  const deadlines = createDeadlines(clock);
  const left = new Map<number, number>();
  for (let n = 0; n < 500; n++) {
    const watched: Watched = {
      deadline: clock.monotonic() + 5000,
      expire() {
        const at = clock.monotonic();
        assert.ok(at >= watched.deadline && at <= watched.deadline + CLIENT_LIMITS.sweepMs, `left at ${at}`);
        left.set(at, (left.get(at) ?? 0) + 1);
        deadlines.unwatch(watched);
      },
    };
    deadlines.watch(watched);
    await clock.advance(10);
  }
  await clock.advance(10_000);
  assert.equal(
    [...left.values()].reduce((sum, count) => sum + count),
    500,
  );
  assert.ok(Math.max(...left.values()) <= 5);
  assert.equal(clock.pending(), 0);
});

test('a host that is tried after another fell silent is watched by the same sweep', async () => {
  const clock = manualClock();
  const deadlines = createDeadlines(clock);
  let tried = 0;
  const next = (): void => {
    tried++;
    const watched: Watched = {
      deadline: clock.monotonic() + 5000,
      expire() {
        deadlines.unwatch(watched);
        if (tried < 10) next();
      },
    };
    deadlines.watch(watched);
  };
  next();
  for (let i = 0; i < 20; i++) {
    await clock.advance(3000);
    assert.ok(clock.pending() <= 1);
  }
  assert.equal(tried, 10);
  assert.equal(clock.pending(), 0);
});
