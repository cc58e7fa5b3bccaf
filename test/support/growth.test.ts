/** What measures growth sees it, however it looks, and takes no step of the memory for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLinear, type Pump } from './growth.ts';

const STEPS: Pump<number> = { name: 'steps', largest: 32_768, input: (size) => size };

/** Work that no compiler leaves out. */
function work(steps: number): number {
  let sum = 0;
  for (let i = 0; i < steps; i++) sum = (sum * 31 + i) | 0;
  return sum;
}

test('a linear parser passes, and one that sorts', () => {
  assertLinear(STEPS, (size) => work(size * 100));
  assertLinear(STEPS, (size) => work(size * Math.log2(size) * 20));
});

test('a quadratic parser fails', () => {
  assert.throws(() => assertLinear(STEPS, (size) => work(size ** 2 / 100)), /grows faster/);
});

test('a parser between linear and quadratic fails', () => {
  assert.throws(() => assertLinear(STEPS, (size) => work(size ** 1.5)), /grows faster/);
});

test('a quadratic parser fails behind much linear work', () => {
  assert.throws(() => assertLinear(STEPS, (size) => work(size * 100 + size ** 2 / 40)), /grows faster/);
});

test('a quadratic parser that needs minutes for its largest input fails in seconds', () => {
  assert.throws(() => assertLinear({ ...STEPS, largest: 1_000_000 }, (size) => work(size ** 2)), /grows faster/);
});

test('a parser whose memory costs more from some size on passes', () => {
  assertLinear(STEPS, (size) => work(size * (size > 10_000 ? 300 : 150)));
});

test('a parser that is over at once passes, as nobody waits for it', () => {
  assertLinear({ ...STEPS, largest: 100 }, (size) => work(size ** 2));
});
