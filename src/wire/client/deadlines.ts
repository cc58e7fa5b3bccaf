/**
 * One coarse sweep over all connections in place of a timer for each command: setting a deadline is an assignment,
 * and a time-out is noticed at most `sweepMs` late. Sweeps only while a deadline is set, and more often while many
 * expire, so that they do not all end at once.
 */
import type { Clock, TimerHandle } from '../../world/clock.ts';
import { CLIENT_LIMITS } from './limits.ts';

export interface Watched {
  /** Monotonic milliseconds; Infinity while nothing is awaited. */
  deadline: number;
  expire(): void;
}

export interface Deadlines {
  /** Milliseconds on the clock that deadlines are in. */
  now(): number;
  watch(watched: Watched): void;
  unwatch(watched: Watched): void;
}

export function createDeadlines(clock: Clock): Deadlines {
  const all = new Set<Watched>();
  let timer: TimerHandle | undefined;

  const sweep = (): void => {
    const now = clock.monotonic();
    let next = now + CLIENT_LIMITS.sweepMs;
    for (const watched of all) {
      if (watched.deadline <= now) watched.expire();
      else if (watched.deadline < next) next = watched.deadline;
    }
    // A connection that ended may have set another deadline meanwhile.
    timer?.cancel();
    timer = all.size > 0 ? clock.after(Math.max(next - now, CLIENT_LIMITS.sweepPauseMs), sweep) : undefined;
  };

  return {
    now: () => clock.monotonic(),
    watch(watched) {
      all.add(watched);
      timer ??= clock.after(CLIENT_LIMITS.sweepMs, sweep);
    },
    unwatch(watched) {
      all.delete(watched);
      if (all.size > 0) return;
      timer?.cancel();
      timer = undefined;
    },
  };
}
