/**
 * Work that need not be done at once is done together: who comes after a quiet time goes at once, who
 * comes sooner waits for the next turn with all others that wait.
 */
import type { Clock, TimerHandle } from '../../world/clock.ts';

export interface BatchWindow {
  /** Resolves when it is one's turn. */
  wait(): Promise<void>;
  /** All who wait go now; resolves when they have begun. */
  hurry(): Promise<void>;
}

/** Turns are at least `everyMs` apart, where nobody hurries them. */
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
    hurry() {
      if (waiting.length === 0) return Promise.resolve();
      go();
      return new Promise((resolve) => {
        setImmediate(resolve);
      });
    },
  };
}
