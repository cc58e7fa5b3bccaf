/**
 * What runs by the clock: each job says when it wants to run next, and runs alone. A job that fails is
 * told by an event and asked again; it never ends the others. Nothing is kept: whoever must not miss a
 * time while the node was down looks in the database how far it came.
 */
import type { Clock, TimerHandle } from '../world/clock.ts';
import type { Events } from '../world/events.ts';

export interface Job {
  readonly name: string;
  /** Milliseconds from now until it runs; asked at the start and after every run. */
  next(now: number): number;
  /** `stopping` is aborted when the node stops: long work ends between two steps. */
  run(stopping?: AbortSignal): Promise<void>;
}

export interface Scheduler {
  /** Runs a job now, or again once it has finished; for what cannot wait for the clock. */
  wake(name: string): void;
  /** Starts no more; resolves when what runs has finished. */
  stop(): Promise<void>;
}

export interface SchedulerServices {
  readonly clock: Clock;
  readonly events: Events;
}

interface Entry {
  readonly job: Job;
  timer: TimerHandle | undefined;
  running: Promise<void> | undefined;
  again: boolean;
}

/** No job runs more often, whatever it asks for: a mistake must not take the processor. */
const SHORTEST_MS = 10;

export function startScheduler(jobs: readonly Job[], { clock, events }: SchedulerServices): Scheduler {
  const entries = new Map<string, Entry>();
  const stopping = new AbortController();
  let stopped = false;

  const arm = (entry: Entry): void => {
    if (stopped) return;
    const delayMs = entry.again ? SHORTEST_MS : Math.max(SHORTEST_MS, entry.job.next(clock.now()));
    entry.again = false;
    entry.timer = clock.after(delayMs, () => run(entry));
  };

  const run = (entry: Entry): void => {
    const { job } = entry;
    entry.timer?.cancel();
    entry.timer = undefined;
    entry.running = job
      .run(stopping.signal)
      .catch((error: Error) => events.emit('jobs.failed', { job: job.name, error: error.message }))
      .finally(() => {
        entry.running = undefined;
        arm(entry);
      });
  };

  for (const job of jobs) {
    const entry: Entry = { job, timer: undefined, running: undefined, again: false };
    entries.set(job.name, entry);
    arm(entry);
  }
  return {
    wake(name) {
      const entry = entries.get(name);
      if (!entry || stopped) return;
      if (entry.running) entry.again = true;
      else run(entry);
    },
    async stop() {
      stopped = true;
      stopping.abort();
      for (const { timer } of entries.values()) timer?.cancel();
      await Promise.all([...entries.values()].map(({ running }) => running));
    },
  };
}
