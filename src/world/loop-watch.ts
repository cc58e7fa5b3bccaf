/**
 * The watch over the event loop: what every connection waits for while one message is worked on.
 *
 * Work on what strangers sent runs as a named step (`loopStep`). A step that holds the loop for longer than
 * LOOP_HELD_MS is reported with the message or session and its own name, as `node.loop-held`; of steps inside
 * each other, the inner one. What no step explains shows as a timer that was late, and is reported as `other`.
 * Costs two readings of a clock a step. Time is that of the wall: on a host that is out of processor time the
 * other programs' share is in it.
 */
import type { Clock } from './clock.ts';
import type { Events } from './events.ts';
import { LOOP_HELD_MS, LOOP_LOOK_MS, LOOP_REPORT_MS } from './limits.ts';

/** Where content is read or changed at once. `check:` is followed by the check's name. */
export type LoopStep =
  | 'smtp-input'
  | 'header'
  | 'verdict'
  | 'mime-structure'
  | 'convert'
  | 'header-edits'
  | 'delivery-report'
  | 'other'
  | `check:${string}`;

export interface LoopWatch {
  close(): void;
}

type Held = (step: LoopStep, about: string, heldMs: number) => void;

/** There is one event loop, and one watch over it at a time: that of the node that started last. */
let held: Held | undefined;
let monotonic: () => number = () => 0;
/** What the innermost step under way is about. */
let subject = '';
/** Of the step under way, what inner steps have been reported for. */
let reportedMs = 0;

/** Runs `work` at once. `about`: the id of the message or session; absent: the same as around it. */
export function loopStep<T>(step: LoopStep, about: string | undefined, work: () => T): T {
  if (!held) return work();
  const outerSubject = subject;
  const outerReportedMs = reportedMs;
  if (about !== undefined) subject = about;
  reportedMs = 0;
  const startedAt = monotonic();
  try {
    return work();
  } finally {
    const tookMs = monotonic() - startedAt;
    const ownMs = tookMs - reportedMs;
    if (ownMs > LOOP_HELD_MS) {
      held(step, subject, ownMs);
      reportedMs = tookMs;
    }
    reportedMs += outerReportedMs;
    subject = outerSubject;
  }
}

/** Until `close`. */
export function watchLoop(clock: Clock, events: Events): LoopWatch {
  /** When the last event was, and how many holds have gone without one since. */
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  /** Reported since the timer was set, so that the timer does not report it again. */
  let explainedMs = 0;
  let closed = false;

  const report: Held = (step, about, heldMs) => {
    explainedMs += heldMs;
    const now = clock.monotonic();
    if (now - toldAt < LOOP_REPORT_MS) {
      untold++;
      return;
    }
    toldAt = now;
    events.emit('node.loop-held', { step, about, heldMs: Math.round(heldMs), unreported: untold });
    untold = 0;
  };

  const look = (): void => {
    if (closed) return;
    explainedMs = 0;
    const due = clock.monotonic() + LOOP_LOOK_MS;
    clock.after(LOOP_LOOK_MS, () => {
      const lateMs = clock.monotonic() - due - explainedMs;
      if (!closed && lateMs > LOOP_HELD_MS) report('other', '', lateMs);
      look();
    });
  };

  held = report;
  monotonic = clock.monotonic;
  look();
  return {
    close() {
      closed = true;
      if (held === report) held = undefined;
    },
  };
}
