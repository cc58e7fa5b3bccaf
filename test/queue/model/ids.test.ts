import assert from 'node:assert/strict';
import test from 'node:test';
import { createIdSource, idOf, keyOf, nodeOf } from '../../../src/queue/model/ids.ts';
import { NODES } from '../../../src/store/limits.ts';
import { manualClock } from '../../support/clock.ts';
import { seededRandom } from '../../support/random.ts';

const NOW = Date.UTC(2026, 10, 30);
const HIGHEST = Date.UTC(2094, 0, 1);

test('nodes that share a database never make the same id, whatever their clocks and starts', () => {
  const random = seededRandom(57);
  const byte = (): number => random.bytes(1)[0]!;
  const made = new Map<number, number>();
  for (let node = 0; node < NODES; node++) {
    const clock = { ...manualClock(), now: () => at };
    let at = NOW + (byte() % 4);
    let last = (NOW - Date.UTC(2025, 0, 1)) * 4096 + byte() * 16;
    for (let start = 0; start < 4; start++) {
      const ids = createIdSource(clock, last, node);
      for (let count = byte() * 2; count > 0; count--) {
        if (byte() % 50 === 0) at += (byte() % 4) - 1;
        const key = ids.next();
        assert.ok(key > last, 'keys grow');
        assert.equal(nodeOf(key, 0), node);
        assert.equal(made.get(key), undefined, `${key} of node ${node}`);
        made.set(key, node);
        last = key;
      }
    }
  }
  assert.ok(made.size > 20_000);
});

test('a node makes 64 ids a millisecond before it runs ahead of the clock', () => {
  const clock = { ...manualClock(), now: () => NOW };
  const ids = createIdSource(clock, 0, 3);
  const keys = Array.from({ length: 65 }, () => ids.next());
  const ms = (key: number): number => Math.floor(key / 4096);
  assert.equal(ms(keys[63]!), ms(keys[0]!));
  assert.equal(ms(keys[64]!), ms(keys[0]!) + 1);
});

test('ids are 11 characters, sort as their keys do, and are exact until 2093', () => {
  const keys = [0, HIGHEST - 31_622_400_000, NOW].flatMap((now) => {
    const ids = createIdSource({ ...manualClock(), now: () => now }, 0, NODES - 1);
    return Array.from({ length: 100 }, () => ids.next());
  });
  for (const key of keys) assert.equal(keyOf(idOf(key)), key);
  assert.deepEqual(keys.map(idOf).sort(), keys.toSorted((a, b) => a - b).map(idOf));
  for (const key of keys) assert.equal(idOf(key).length, 11);
});
