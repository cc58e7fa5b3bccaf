/**
 * A clock that stands still until a test moves it: no test sleeps, none asserts on absolute time.
 *
 * `advance` runs the timers that become due in order of their time (then of their creation), each with the clock at
 * its own due time, and lets promises settle between them. Code that waits for a socket really waits; the test
 * controls only its time-outs.
 */
import type { Clock, TimerHandle } from '../../src/world/clock.ts';

export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>;
  /** How many timers wait; 0 proves that nothing was left running. */
  pending(): number;
}

interface Timer {
  readonly dueAt: number;
  readonly fn: () => void;
}

/** 2026-01-05, a Monday, 00:00 UTC. */
const START_MS = Date.UTC(2026, 0, 5);

export function manualClock(startMs: number = START_MS): ManualClock {
  const timers = new Set<Timer>();
  let elapsedMs = 0;

  const after = (delayMs: number, fn: () => void): TimerHandle => {
    const timer: Timer = { dueAt: elapsedMs + Math.max(0, delayMs), fn };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer) };
  };

  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    after,
    sleep(delayMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const timer = after(delayMs, () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        });
        const abort = (): void => {
          timer.cancel();
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', abort, { once: true });
      });
    },
    async advance(ms) {
      const until = elapsedMs + ms;
      await settled();
      for (let next = earliest(timers, until); next; next = earliest(timers, until)) {
        timers.delete(next);
        elapsedMs = Math.max(elapsedMs, next.dueAt);
        next.fn();
        await settled();
      }
      elapsedMs = until;
    },
    pending: () => timers.size,
  };
}

/** Sets keep insertion order, so of two timers due together the older one wins. */
function earliest(timers: ReadonlySet<Timer>, until: number): Timer | undefined {
  let first: Timer | undefined;
  for (const timer of timers) {
    if (timer.dueAt <= until && (!first || timer.dueAt < first.dueAt)) first = timer;
  }
  return first;
}

/** One turn of the event loop: every microtask that is ready has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
