/**
 * The watch over the event loop: every connection waits while one message is worked on.
 *
 * Work on content from untrusted hosts runs as a named step (`loopStep`). A step that holds the loop for longer than
 * LOOP_HELD_MS is reported with the message or session and its own name, as `node.loop-held`; of nested steps, the
 * inner one. A hold outside all steps shows as a late timer, and is reported as `other`. Costs two readings of a
 * clock a step. Time is wall time: on a host that is short of processor time it includes the share of other programs.
 */
import type { Clock } from './clock.ts';
import type { Events } from './events.ts';
import { LOOP_HELD_MS, LOOP_LOOK_MS, LOOP_REPORT_MS } from './limits.ts';

/** Steps in which content is read or changed synchronously. `check:` is followed by the check's name. */
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
/** The message or session of the innermost step under way. */
let subject = '';
/** Time within the step under way that was already reported for inner steps. */
let reportedMs = 0;

/** Runs `work` at once. `about`: the id of the message or session; absent: that of the outer step. */
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

/** Watches until `close`. */
export function watchLoop(clock: Clock, events: Events): LoopWatch {
  /** When the last event was emitted, and how many holds were left out since. */
  let reportedAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  /** Reported since the timer was set, so that the timer does not report it again. */
  let explainedMs = 0;
  let closed = false;

  const report: Held = (step, about, heldMs) => {
    explainedMs += heldMs;
    const now = clock.monotonic();
    if (now - reportedAt < LOOP_REPORT_MS) {
      untold++;
      return;
    }
    reportedAt = now;
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
