/**
 * The cost of a hot name in the caches that every message uses, by the number of names in them, and of a new name in
 * a full one. Processor time, microseconds for one call.
 *
 *     node bench/caches.ts
 */

import { createExpiring } from '../src/deliver/expiring.ts';
import { createCounters } from '../src/store/counters.ts';
import { COUNTER_KEYS } from '../src/store/limits.ts';
import { systemClock } from '../src/world/clock.ts';
import { type AnyAnswer, createAnswerCache } from '../src/world/resolver/cache.ts';

const NAMES = [100, 1000, 5000, 10_000, 19_000];
const CALLS = 20_000;
const ANSWER: AnyAnswer = { kind: 'found', records: ['192.0.2.1'], ttlSeconds: 3600, authentic: false };
const HOUR_MS = 3_600_000;

const nameOf = (i: number): string => `TXT domain${i}.example.`;

interface Tried {
  put(name: string): void;
  hit(name: string): void;
}

function answers(entries: number): Tried {
  const cache = createAnswerCache(systemClock, { entries, bytes: 2 ** 30 });
  return { put: (name) => cache.put(name, ANSWER, 3600), hit: (name) => cache.get(name) };
}

function counters(): Tried {
  const { add } = createCounters(systemClock);
  return { put: (name) => void add(name, HOUR_MS), hit: (name) => void add(name, HOUR_MS) };
}

function facts(limit: number): Tried {
  const cache = createExpiring<number>(systemClock, limit);
  return { put: (name) => cache.set(name, 1, HOUR_MS), hit: (name) => cache.set(name, 2, HOUR_MS) };
}

function perCallUs(call: (i: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const before = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) call(run * CALLS + i);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / CALLS);
  }
  return least;
}

function filled(tried: Tried, names: number): Tried {
  for (let i = 0; i < names; i++) tried.put(nameOf(i));
  return tried;
}

const kinds: readonly (readonly [string, (entries: number) => Tried])[] = [
  ['DNS answers, a hit', answers],
  ['counted keys, one more of it', counters],
  ['facts of deliveries, learned again', facts],
];
for (const [kind, create] of kinds)
  for (const names of NAMES) {
    const tried = filled(create(20_000), names);
    const hot = nameOf(50);
    console.log(`${kind}, ${names} names: ${perCallUs(() => tried.hit(hot)).toFixed(2)} us`);
  }
const full: readonly (readonly [string, number, Tried])[] = [
  ['DNS answers', 20_000, answers(20_000)],
  ['counted keys', COUNTER_KEYS, counters()],
  ['facts of deliveries', 10_000, facts(10_000)],
];
for (const [kind, names, tried] of full) {
  filled(tried, names);
  console.log(`${kind}, a new name in a full one: ${perCallUs((i) => tried.put(`new${i}`)).toFixed(2)} us`);
}
