/**
 * Work that need not be done at once is done together: who comes after a quiet time goes at once, who
 * comes sooner waits for the next turn with all others that wait.
 */
import type { Clock } from '../world/clock.ts';

/** Resolves when it is one's turn; turns are at least `everyMs` apart. */
export type Turn = () => Promise<void>;

export function createTurns(clock: Clock, everyMs: number): Turn {
  let next: Promise<void> | undefined;
  let last = Number.NEGATIVE_INFINITY;

  return () => {
    if (next) return next;
    const waitMs = last + everyMs - clock.monotonic();
    if (waitMs <= 0) {
      last = clock.monotonic();
      return Promise.resolve();
    }
    next = clock.sleep(waitMs).then(() => {
      last = clock.monotonic();
      next = undefined;
    });
    return next;
  };
}
