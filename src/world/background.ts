/**
 * Threads whose work can wait: passwords, the log, searches. Where processors are scarce, the event loop and the
 * threads that it waits for run first.
 */
import { setPriority } from 'node:os';

/**
 * Niceness. Each comment says how large a share of a processor the thread gets while mail wants that processor too.
 */
const PRIORITIES = {
  /** A quarter: it must keep up with the mail. */
  log: 5,
  /** A tenth: an administrator waits for the answer. */
  search: 10,
  /** A fifteenth: a user still signs in within a few seconds. At the lowest (19) it would be a seventieth, and half a minute. */
  password: 12,
} as const;

/** Called by the thread itself. Linux counts niceness by thread; elsewhere this would slow the whole process. */
export function goBehindMail(priority: keyof typeof PRIORITIES): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, PRIORITIES[priority]);
  } catch {
    // A sandbox may forbid it; the work is done at normal priority.
  }
}
