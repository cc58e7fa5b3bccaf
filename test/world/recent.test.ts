import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExpiring } from '../../src/deliver/expiring.ts';
import { createCounters } from '../../src/store/counters.ts';
import { createRecent } from '../../src/world/recent.ts';
import { createAnswerCache } from '../../src/world/resolver/cache.ts';
import { manualClock } from '../support/clock.ts';
import { assertLinear } from '../support/growth.ts';

const HOUR_MS = 3_600_000;
const LARGEST = 20_000;
const HOT = 'name0';

interface Hot {
  put(name: string): void;
  hit(): void;
}

const CACHES: Readonly<Record<string, () => Hot>> = {
  'the resolver’s answers': () => {
    const cache = createAnswerCache(manualClock());
    const answer = { kind: 'found', records: ['192.0.2.1'], ttlSeconds: 60, authentic: false } as const;
    return { put: (name) => cache.put(name, answer, 60), hit: () => void cache.get(HOT) };
  },
  'counted keys': () => {
    const { add } = createCounters(manualClock());
    return { put: (name) => void add(name, HOUR_MS), hit: () => void add(HOT, HOUR_MS) };
  },
  'facts of deliveries': () => {
    const facts = createExpiring<number>(manualClock(), LARGEST);
    return { put: (name) => facts.set(name, 1, HOUR_MS), hit: () => facts.set(HOT, 1, HOUR_MS) };
  },
  'recently used': () => {
    const recent = createRecent<number>(LARGEST);
    return { put: (name) => void recent.set(name, 1), hit: () => void recent.get(HOT) };
  },
};

for (const [name, create] of Object.entries(CACHES)) {
  test(`a hot key costs as much in ${LARGEST} as in few: ${name}`, () => {
    // As many hits as there are names: linear only if a hit costs the same whatever their number.
    const filled = (size: number): (() => void) => {
      const cache = create();
      for (let i = 0; i < size; i++) cache.put(`name${i}`);
      return () => {
        for (let i = 0; i < size; i++) cache.hit();
      };
    };
    assertLinear({ name, input: filled, largest: LARGEST }, (hits) => hits());
  });
}

test('beyond its bound the entry that was used least recently goes; asking by `peek` is no use', () => {
  const recent = createRecent<number>(3);
  for (const key of ['a', 'b', 'c']) recent.set(key, 1);
  recent.get('a');
  recent.peek('b');
  recent.set('d', 1);
  assert.equal(recent.size, 3);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].filter((key) => recent.peek(key) !== undefined),
    ['a', 'c', 'd'],
  );
});
