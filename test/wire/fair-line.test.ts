import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFairLine } from '../../src/wire/fair-line.ts';

test('owners take turns, and each has its own in order', () => {
  const line = createFairLine<string>();
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) assert.equal(line.add(item[0]!, item, 10), undefined);
  assert.equal(line.peek(), 'a1');
  assert.deepEqual(
    Array.from({ length: 6 }, () => line.next()),
    ['a1', 'b1', 'c1', 'a2', 'b2', 'a3'],
  );
  assert.equal(line.next(), undefined);
  assert.equal(line.length, 0);
});

test('an owner who fills the line gives its newest to another, and gets no more itself', () => {
  const line = createFairLine<string>();
  for (const item of ['a1', 'a2', 'a3']) line.add('a', item, 3);
  assert.equal(line.add('a', 'a4', 3), 'a4');
  assert.equal(line.add('b', 'b1', 3), 'a3');
  assert.equal(line.add('b', 'b2', 3), 'b2', 'both would have as many as the other then');
  assert.equal(line.add('c', 'c1', 3), 'a2');
  assert.equal(line.add('d', 'd1', 3), 'd1', 'each has one');
  assert.deepEqual(line.clear(), ['a1', 'b1', 'c1']);
  assert.equal(line.length, 0);
});

test('a line that became shorter takes nobody until it is as short', () => {
  const line = createFairLine<string>();
  for (const item of ['a1', 'a2', 'a3', 'a4']) line.add('a', item, 4);
  assert.equal(line.add('a', 'a5', 2), 'a5');
  assert.equal(line.length, 4);
});
