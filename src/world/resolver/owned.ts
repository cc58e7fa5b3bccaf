/**
 * The questions of one owner, as a transaction has them: they use its share of the places and end with it, and it
 * records whether a question had no place. So a verifier that returns only "failed" can be interpreted.
 *
 * A part of the work may end before the rest; its questions are then no shortage of the owner's. Beyond an ordinary
 * number, questions go one at a time, so that a large record takes no place from others. Never rejects, except for a
 * defect.
 */
import { DNS_LIMITS } from '../limits.ts';
import type { DnsAnswer, LookUpOwner, OwnedResolver, RecordType, RecordTypes, Resolver } from '../resolver.ts';
import type { AnyAnswer } from './cache.ts';
import type { Waiter } from './look-ups.ts';

/** Returns a function that removes the waiter. */
export type Join = (key: string, name: string, type: RecordType, waiter: Waiter) => () => void;

type Answer<K extends RecordType> = DnsAnswer<RecordTypes[K]>;

const TOO_MANY = { kind: 'unknown', reason: 'too-many' } as const;

export function createOwned(
  source: Resolver,
  owner: LookUpOwner,
  cached: (key: string) => AnyAnswer | undefined,
  join: Join,
): OwnedResolver {
  const underWay = new Map<() => void, Part>();
  let [asked, short, waited, ended] = [0, false, false, false];
  let last: Promise<unknown> | undefined;

  /** A shortage, unless only the part that asked is over. */
  const tooMany = (part: Part): typeof TOO_MANY => {
    short ||= ended || !part.ended;
    return TOO_MANY;
  };

  const ask = <K extends RecordType>(
    part: Part,
    key: string,
    name: string,
    type: K,
  ): Answer<K> | Promise<Answer<K>> => {
    if (ended || part.ended) return tooMany(part);
    return new Promise<Answer<K>>((resolve, reject) => {
      let leave: (() => void) | undefined;
      const done = (): void => {
        if (leave) underWay.delete(leave);
        leave = undefined;
        isOver = true;
      };
      let isOver = false;
      leave = join(key, name, type, {
        owner,
        answered(answer) {
          done();
          resolve(answer as Answer<K>);
        },
        failed() {
          done();
          resolve(tooMany(part));
        },
        broke(error) {
          done();
          reject(error);
        },
        waits() {
          waited = true;
        },
      });
      // A question that is refused at once is over before `leave` exists.
      if (!isOver) underWay.set(leave, part);
    });
  };

  const resolveIn = async <K extends RecordType>(part: Part, name: string, type: K): Promise<Answer<K>> => {
    const lower = name.toLowerCase();
    const key = `${type} ${lower}`;
    const known = cached(key) as Answer<K> | undefined;
    if (known) return known;
    asked += 1;
    if (asked <= DNS_LIMITS.ordinaryQuestions) return ask(part, key, lower, type);
    const before = last;
    const turn = (async () => {
      await before;
      return ask(part, key, lower, type);
    })();
    last = turn.catch(() => {});
    return turn;
  };

  const endPart = (part: Part): void => {
    part.ended = true;
    for (const [leave, of] of underWay) if (of === part) leave();
  };

  const whole: Part = { ended: false };
  const resolver: OwnedResolver = {
    source,
    resolve: (name, type) => resolveIn(whole, name, type),
    questions: () => asked,
    isShort: () => short,
    ranOutOfTime() {
      short ||= waited;
    },
    part() {
      const part: Part = { ended: false };
      return { ...resolver, resolve: (name, type) => resolveIn(part, name, type), end: () => endPart(part) };
    },
    end() {
      ended = true;
      for (const leave of underWay.keys()) leave();
      underWay.clear();
    },
  };
  return resolver;
}

/** A piece of the owner's work, which may end before the rest. */
interface Part {
  ended: boolean;
}
