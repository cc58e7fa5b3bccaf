/**
 * The threads of one worker client, and which jobs each has. A thread starts for the first job that finds no room,
 * and ends when it had none for a while. A thread that has ended answers no more.
 */
import type { Transferable } from 'node:worker_threads';
import type { Clock, TimerHandle } from '../clock.ts';
import type { FromThread, ToThread } from './answer.ts';
import { startThread, type Thread, type ThreadSource } from './thread.ts';

/** One thread, as long as it lives. */
export interface Place<J> {
  readonly jobs: ReadonlyMap<number, J>;
}

export interface Places<J> {
  /** The client never has more jobs than its threads have room for. */
  take(number: number, job: J): Place<J>;
  ask(place: Place<J>, number: number, question: unknown, transfer?: readonly Transferable[]): void;
  leave(place: Place<J>, number: number): void;
  isAlive(place: Place<J>): boolean;
  /** Its jobs get no more answers. */
  end(place: Place<J>): Promise<void>;
  endAll(): Promise<void>;
}

export interface PlacesOptions<J> {
  readonly clock: Clock;
  readonly source: ThreadSource;
  readonly idleMs: number;
  readonly jobsPerThread: number;
  onReply(job: J, reply: FromThread<unknown>): void;
  /** A thread ended without being asked to. */
  onDied(place: Place<J>, cause: unknown): void;
}

interface LivePlace<J> extends Place<J> {
  readonly jobs: Map<number, J>;
  readonly thread: Thread;
  retirement?: TimerHandle;
}

export function createPlaces<J>(options: PlacesOptions<J>): Places<J> {
  const { clock, source, idleMs, jobsPerThread, onReply, onDied } = options;
  const alive = new Set<LivePlace<J>>();
  const isAlive = (place: Place<J>): place is LivePlace<J> => alive.has(place as LivePlace<J>);

  const start = (): LivePlace<J> => {
    const place: LivePlace<J> = {
      jobs: new Map(),
      thread: startThread<FromThread<unknown>>(source, {
        onMessage(reply) {
          const job = place.jobs.get(reply.job);
          if (job !== undefined && alive.has(place)) onReply(job, reply);
        },
        onEnd(cause) {
          place.retirement?.cancel();
          if (alive.delete(place)) onDied(place, cause);
        },
      }),
    };
    alive.add(place);
    return place;
  };

  const end = async (place: Place<J>): Promise<void> => {
    if (!isAlive(place)) return;
    alive.delete(place);
    place.retirement?.cancel();
    await place.thread.terminate();
  };

  return {
    isAlive,
    end,
    take(number, job) {
      const place = alive.values().find(({ jobs }) => jobs.size < jobsPerThread) ?? start();
      place.retirement?.cancel();
      place.jobs.set(number, job);
      // The process must not end while it waits for an answer.
      place.thread.hold(true);
      return place;
    },
    ask(place, job, question, transfer) {
      if (isAlive(place)) place.thread.post({ job, question } satisfies ToThread<unknown>, transfer);
    },
    leave(place, job) {
      if (!isAlive(place) || !place.jobs.delete(job)) return;
      place.thread.post({ job, isOver: true } satisfies ToThread<unknown>);
      if (place.jobs.size > 0) return;
      place.thread.hold(false);
      place.retirement = clock.after(idleMs, () => void end(place));
    },
    async endAll() {
      await Promise.all([...alive].map(end));
    },
  };
}
