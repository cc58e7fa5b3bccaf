import assert from 'node:assert/strict';
import test from 'node:test';
import { createAnswerCache } from '../../../src/world/resolver/cache.ts';
import type { DnsAnswer } from '../../../src/world/resolver.ts';
import { manualClock } from '../../support/clock.ts';

const answer = (bytes: number): DnsAnswer<readonly Uint8Array[]> => ({
  kind: 'found',
  records: [[new Uint8Array(bytes)]],
  ttlSeconds: 60,
  authentic: false,
});

test('the cache keeps to its number of entries; what was used lately stays', () => {
  const cache = createAnswerCache(manualClock(), { entries: 2, bytes: 1e6 });
  cache.put('a', answer(1), 60);
  cache.put('b', answer(1), 60);
  cache.get('a');
  cache.put('c', answer(1), 60);
  assert.deepEqual([cache.get('a') !== undefined, cache.get('b') !== undefined], [true, false]);
});

test('the cache keeps to its number of bytes, and frees what it counted', () => {
  const cache = createAnswerCache(manualClock(), { entries: 1000, bytes: 10_000 });
  for (let index = 0; index < 100; index++) cache.put(`n${index}`, answer(1000), 60);
  assert.ok(cache.size().bytes <= 10_000);
  for (let index = 0; index < 100; index++) cache.put(`n${index}`, answer(0), 0);
  assert.deepEqual(cache.size(), { entries: 0, bytes: 0 });
});
