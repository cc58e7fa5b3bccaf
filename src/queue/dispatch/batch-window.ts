/**
 * Gathers work that need not be done at once: work that comes after a quiet time is done at once, work that comes
 * sooner waits for the next turn together with all other waiting work.
 */
import type { Clock, TimerHandle } from '../../world/clock.ts';

export interface BatchWindow {
  /** Resolves when its turn has come. */
  wait(): Promise<void>;
  /** Lets all waiting work begin now; resolves when it has begun. */
  runNow(): Promise<void>;
}

/** Turns are at least `everyMs` apart, unless `runNow` is called. */
export function createBatchWindow(clock: Clock, everyMs: number): BatchWindow {
  let waiting: (() => void)[] = [];
  let timer: TimerHandle | undefined;
  let last = Number.NEGATIVE_INFINITY;

  const go = (): void => {
    timer?.cancel();
    timer = undefined;
    last = clock.monotonic();
    const all = waiting;
    waiting = [];
    for (const begin of all) begin();
  };

  return {
    wait() {
      const waitMs = last + everyMs - clock.monotonic();
      if (waitMs <= 0 && waiting.length === 0) {
        go();
        return Promise.resolve();
      }
      timer ??= clock.after(waitMs, go);
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    runNow() {
      if (waiting.length === 0) return Promise.resolve();
      go();
      return new Promise((resolve) => {
        setImmediate(resolve);
      });
    },
  };
}
