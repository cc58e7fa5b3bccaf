/**
 * Windows and caches in memory: one node's own, gone with it.
 *
 * A window is counted in slices of a tenth, so a sum is exact to a slice. When there are too many
 * keys, the one used least recently goes.
 */
import type { Clock } from '../world/clock.ts';
import { createRecent } from '../world/recent.ts';
import type { Counters } from './contract.ts';
import { COUNTER_KEYS, COUNTER_SLICES } from './limits.ts';

interface Window {
  readonly sliceMs: number;
  /** By slice number modulo COUNTER_SLICES. */
  readonly sums: Float64Array;
  newest: number;
}

interface Value {
  readonly value: string;
  readonly until: number;
}

export function createCounters(clock: Clock): Counters {
  const windows = createRecent<Window>(COUNTER_KEYS);
  const values = createRecent<Value>(COUNTER_KEYS);

  return {
    async add(key, windowMs, by = 1) {
      const sliceMs = Math.max(1, windowMs / COUNTER_SLICES);
      let window = windows.get(key);
      if (!window || window.sliceMs !== sliceMs) {
        window = { sliceMs, sums: new Float64Array(COUNTER_SLICES), newest: 0 };
        windows.set(key, window);
      }
      advance(window, Math.floor(clock.monotonic() / sliceMs));
      window.sums[window.newest % COUNTER_SLICES]! += by;
      return window.sums.reduce((sum, slice) => sum + slice, 0);
    },
    async get(key) {
      // Asking for a value does not keep it: only setting it does.
      const found = values.peek(key);
      if (!found) return undefined;
      if (found.until > clock.monotonic()) return found.value;
      values.delete(key);
      return undefined;
    },
    async set(key, value, ttlMs) {
      values.set(key, { value, until: clock.monotonic() + ttlMs });
    },
    async delete(key) {
      values.delete(key);
      windows.delete(key);
    },
  };
}

/** Empties the slices between the newest and now. */
function advance(window: Window, now: number): void {
  const from = Math.max(window.newest + 1, now - COUNTER_SLICES + 1);
  for (let slice = from; slice <= now; slice++) window.sums[slice % COUNTER_SLICES] = 0;
  window.newest = Math.max(window.newest, now);
}
