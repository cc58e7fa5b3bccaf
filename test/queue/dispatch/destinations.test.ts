import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createDestinations } from '../../../src/queue/dispatch/destinations.ts';
import {
  BACKOFF_FIRST_MS,
  BACKOFF_LAST_MS,
  FIRST_WINDOW,
  KNOWN_DESTINATIONS,
  REMEMBERED_WINDOWS,
} from '../../../src/queue/limits.ts';
import { idOf, keyOf } from '../../../src/queue/model/ids.ts';
import { TRANSITIONS } from '../../../src/queue/model/transitions.ts';

const names = ['a.example', 'b.example', 'c.example'];
const step = fc.oneof(
  fc.record({ what: fc.constant('note' as const), name: fc.constantFrom(...names), inMs: fc.nat(10_000) }),
  fc.record({ what: fc.constant('fail' as const), name: fc.constantFrom(...names) }),
  fc.record({ what: fc.constant('succeed' as const), name: fc.constantFrom(...names) }),
  fc.record({ what: fc.constant('pass' as const), ms: fc.nat(100_000) }),
  fc.record({ what: fc.constant('take' as const) }),
);

test('a destination’s turn never comes before its rows are due or within its back-off, and always comes after', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const destinations = createDestinations();
      let now = 1;
      const take = (): boolean => {
        const taken = destinations.takeDue(now);
        if (!taken) return false;
        assert.ok(taken.due <= now && taken.retryAt <= now);
        taken.due = Number.POSITIVE_INFINITY;
        return true;
      };
      for (const step of steps) {
        if (step.what === 'note') destinations.note(destinations.get(step.name), now + step.inMs);
        else if (step.what === 'fail') destinations.failed(destinations.get(step.name), now, 'cannot connect');
        else if (step.what === 'succeed') destinations.succeeded(destinations.get(step.name));
        else if (step.what === 'pass') now += step.ms;
        else take();
      }
      now += BACKOFF_LAST_MS + 10_000;
      while (take());
      for (const name of names)
        assert.equal(destinations.get(name).due, Number.POSITIVE_INFINITY, `${name} had its turn`);
    }),
    { numRuns: 500 },
  );
});

test('claims that fail together are one failure; back-off doubles up to its cap; one claim more with each success', () => {
  const destinations = createDestinations();
  const dead = destinations.get('dead.example');
  let now = 1;
  assert.equal(destinations.failed(dead, now, 'cannot connect'), true);
  assert.equal(destinations.failed(dead, now, 'cannot connect'), false);
  assert.equal(dead.retryAt, now + BACKOFF_FIRST_MS);
  for (let i = 0; i < 20; i++) {
    now = dead.retryAt;
    destinations.failed(dead, now, 'cannot connect');
  }
  assert.equal(dead.retryAt - now, BACKOFF_LAST_MS);
  assert.equal(dead.window, 1);
  const windows = [1, 2, 3, 4, 5, 6].map(() => {
    destinations.succeeded(dead);
    return dead.window;
  });
  assert.deepEqual(windows, [2, 3, 4, 5, 6, 7]);
});

test('a destination starts with five claims, and its window is remembered while it is idle', () => {
  const destinations = createDestinations();
  const idle = destinations.get('idle.example');
  assert.equal(idle.window, FIRST_WINDOW);
  destinations.succeeded(idle);
  destinations.dropIfIdle(idle, 1);
  assert.equal(destinations.size, 0);
  assert.equal(destinations.get('idle.example').window, FIRST_WINDOW + 1);
  for (let i = 0; i < REMEMBERED_WINDOWS; i++) {
    const other = destinations.get(`${i}.example`);
    destinations.succeeded(other);
    destinations.dropIfIdle(other, 1);
  }
  destinations.dropIfIdle(destinations.get('idle.example'), 1);
  for (let i = 0; i <= REMEMBERED_WINDOWS; i++) {
    const other = destinations.get(`${i}.example`);
    destinations.succeeded(other);
    destinations.dropIfIdle(other, 1);
  }
  assert.equal(destinations.get('idle.example').window, FIRST_WINDOW, 'the memory for them is bounded');
});

test('ten thousand destinations have their turns one after the other, and memory for them is bounded', () => {
  const destinations = createDestinations();
  for (let i = 0; i < KNOWN_DESTINATIONS + 1000; i++) destinations.note(destinations.get(`${i}.example`), 5);
  assert.equal(destinations.size, KNOWN_DESTINATIONS);
  const seen = new Set<string>();
  for (let next = destinations.takeDue(5); next; next = destinations.takeDue(5)) {
    assert.ok(!seen.has(next.name));
    seen.add(next.name);
  }
  assert.equal(seen.size, KNOWN_DESTINATIONS);
});

test('ids sort as their keys and come back to them', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
      assert.equal(keyOf(idOf(a)), a);
      assert.equal(idOf(a) < idOf(b), a < b);
    }),
  );
  for (const wrong of ['', 'short', 'UPPERCASE00', 'zzzzzzzzzzz', '0123456789é']) assert.equal(keyOf(wrong), undefined);
});

test('the table of transitions names each way once, and final states have no way out', () => {
  const finals = new Set(['delivered', 'relayed', 'bounced', 'expired', 'discarded', 'redirected', 'deleted']);
  for (const { from } of TRANSITIONS) assert.ok(!finals.has(from));
  const ways = TRANSITIONS.map(({ from, to, by, why }) => `${from} ${to} ${by} ${why}`);
  assert.equal(new Set(ways).size, ways.length);
});
