/**
 * Detects password guessing: many wrong passwords from unknown clients, and hardly a right one among them. Reports
 * when it begins and when it is over.
 */
import type { Clock, TimerHandle } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import { GUESSING } from '../limits.ts';

export interface Guessing {
  isOn(): boolean;
  /** The result for a password of an unknown client. */
  checked(isRight: boolean): void;
  stop(): void;
}

export function createGuessing(clock: Clock, events?: Events): Guessing {
  let wrong = 0;
  let on = false;
  let over: TimerHandle | undefined;

  const end = (): void => {
    over?.cancel();
    over = undefined;
    wrong = 0;
    if (!on) return;
    on = false;
    events?.emit('sign-in.guessing-over', {});
  };

  return {
    isOn: () => on,
    checked(isRight) {
      if (isRight) {
        wrong -= GUESSING.wrongForOneRight;
        if (wrong <= 0) end();
        return;
      }
      wrong = Math.min(wrong + 1, GUESSING.wrong);
      over?.cancel();
      over = clock.after(GUESSING.quietMs, end);
      if (on || wrong < GUESSING.wrong) return;
      on = true;
      events?.emit('sign-in.guessing', { wrong });
    },
    stop() {
      over?.cancel();
    },
  };
}
