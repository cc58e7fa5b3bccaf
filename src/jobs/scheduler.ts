/**
 * Clock jobs: each job returns when it wants to run next, and runs alone. A job that fails is reported by an event
 * and runs again; it never affects the others. Nothing is stored: a job that must not miss a time while the node was
 * down reads its progress from the database.
 *
 * If nodes share a database, a job runs on one of them at a time (leases.ts), unless each node must run it.
 */
import type { Clock, TimerHandle } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { JobLeases } from './leases.ts';
import { JOB_LEASE_MS, JOB_RENEW_EVERY_MS } from './limits.ts';

export interface Job {
  readonly name: string;
  /** Its work is this node's own (its disk, its files): it runs on every node. */
  readonly onEveryNode?: true;
  /** Milliseconds from now until it runs; asked at the start and after every run. */
  next(now: number): number;
  /** `stopping` is aborted when the node stops or another node runs the job: long work ends between two steps. */
  run(stopping?: AbortSignal): Promise<void>;
}

export interface Scheduler {
  /** Runs a job now, or again once it has finished; for work that cannot wait for the clock. */
  wake(name: string): void;
  /** Starts no more jobs; resolves when the running ones have finished. */
  stop(): Promise<void>;
}

export interface SchedulerServices {
  readonly clock: Clock;
  readonly events: Events;
  /** Absent: only this node uses the database, and a run writes nothing. */
  readonly leases?: JobLeases;
}

interface Entry {
  readonly job: Job;
  timer: TimerHandle | undefined;
  running: Promise<void> | undefined;
  again: boolean;
  /** When the timer was set; undefined: the job was woken, and a run of another node is not enough. */
  since: number | undefined;
}

/** No job runs more often, whatever it returns: a mistake must not use up the processor. */
const SHORTEST_MS = 10;

export function startScheduler(jobs: readonly Job[], { clock, events, leases }: SchedulerServices): Scheduler {
  const entries = new Map<string, Entry>();
  const stopping = new AbortController();
  let stopped = false;

  const arm = (entry: Entry): void => {
    if (stopped) return;
    const delayMs = entry.again ? SHORTEST_MS : Math.max(SHORTEST_MS, entry.job.next(clock.now()));
    entry.since = entry.again ? undefined : clock.now();
    entry.again = false;
    entry.timer = clock.after(delayMs, () => run(entry));
  };

  /** Another node runs it now, and may die: checked again when its lease could be over. */
  const armAgain = (entry: Entry): void => {
    if (stopped) return;
    if (entry.again) entry.since = undefined;
    entry.again = false;
    entry.timer = clock.after(JOB_LEASE_MS, () => run(entry));
  };

  const run = (entry: Entry): void => {
    const { job } = entry;
    entry.timer?.cancel();
    entry.timer = undefined;
    let isElsewhere = false;
    entry.running = (leases && !job.onEveryNode ? runLeased(entry, leases) : job.run(stopping.signal))
      .then((turn) => {
        isElsewhere = turn === 'elsewhere';
      })
      .catch((error: Error) => events.emit('jobs.failed', { job: job.name, error: error.message }))
      .finally(() => {
        entry.running = undefined;
        if (isElsewhere) armAgain(entry);
        else arm(entry);
      });
  };

  const runLeased = async ({ job, since }: Entry, { begin, renew, end }: JobLeases): Promise<'elsewhere' | 'over'> => {
    const turn = await begin(job.name, since);
    if (turn !== 'ours') return turn === 'running' ? 'elsewhere' : 'over';
    const lost = new AbortController();
    let isDone = false;
    let timer: TimerHandle;
    const keep = (): void => {
      timer = clock.after(JOB_RENEW_EVERY_MS, () => {
        keep();
        renew(job.name).then(
          (isOurs) => isOurs || lost.abort(),
          (error: Error) => events.emit('jobs.failed', { job: job.name, error: error.message }),
        );
      });
    };
    keep();
    try {
      await job.run(AbortSignal.any([stopping.signal, lost.signal]));
      isDone = !stopped && !lost.signal.aborted;
    } finally {
      timer!.cancel();
      await end(job.name, isDone);
    }
    return 'over';
  };

  for (const job of jobs) {
    const entry: Entry = { job, timer: undefined, running: undefined, again: false, since: undefined };
    entries.set(job.name, entry);
    arm(entry);
  }
  return {
    wake(name) {
      const entry = entries.get(name);
      if (!entry || stopped) return;
      if (entry.running) {
        entry.again = true;
        return;
      }
      entry.since = undefined;
      run(entry);
    },
    async stop() {
      stopped = true;
      stopping.abort();
      for (const { timer } of entries.values()) timer?.cancel();
      await Promise.all([...entries.values()].map(({ running }) => running));
    },
  };
}
