/**
 * Turns of acts, by topic: an act begins once all earlier acts that share a topic have ended, with or without an
 * error; acts of other topics run at the same time. All turns of an act are taken at once, so two acts never wait for
 * each other.
 */
import type { Topic } from './areas.ts';

export interface Turns {
  take<T>(topics: readonly Topic[], act: () => Promise<T>): Promise<T>;
}

/** `first`: every act waits for it; never rejects. */
export function createTurns(first: Promise<unknown>): Turns {
  /** The end of the last act of each topic; never rejects. */
  const ends = new Map<Topic, Promise<unknown>>();
  return {
    take(topics, act) {
      const before = topics.map((topic) => ends.get(topic) ?? first);
      const turn = Promise.all(before.length > 0 ? before : [first]).then(act);
      const end = turn.catch(() => undefined);
      for (const topic of topics) ends.set(topic, end);
      return turn;
    },
  };
}
