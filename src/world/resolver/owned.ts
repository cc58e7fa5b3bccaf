/**
 * The questions of one owner, as a transaction has them: they have its share of the places, end with
 * it, and it remembers whether one had none. So a verifier that knows only "failed" can be understood.
 *
 * Beyond an ordinary number they go one at a time, so that a large record costs nobody else a place.
 * Never rejects, except for a defect.
 */
import { DNS_LIMITS } from '../limits.ts';
import type { DnsAnswer, LookUpOwner, OwnedResolver, RecordType, RecordTypes, Resolver } from '../resolver.ts';
import type { AnyAnswer } from './cache.ts';
import type { Waiter } from './look-ups.ts';

/** Gives what takes the waiter away. */
export type Join = (key: string, name: string, type: RecordType, waiter: Waiter) => () => void;

type Answer<K extends RecordType> = DnsAnswer<RecordTypes[K]>;

const TOO_MANY = { kind: 'unknown', reason: 'too-many' } as const;

export function createOwned(
  source: Resolver,
  owner: LookUpOwner,
  cached: (key: string) => AnyAnswer | undefined,
  join: Join,
): OwnedResolver {
  const underWay = new Set<() => void>();
  let [asked, short, waited, ended] = [0, false, false, false];
  let last: Promise<unknown> | undefined;

  const tooMany = (): typeof TOO_MANY => {
    short = true;
    return TOO_MANY;
  };

  const ask = <K extends RecordType>(key: string, name: string, type: K): Answer<K> | Promise<Answer<K>> => {
    if (ended) return tooMany();
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
          resolve(tooMany());
        },
        broke(error) {
          done();
          reject(error);
        },
        waits() {
          waited = true;
        },
      });
      // Refused at once, it is over before there is anything to leave.
      if (!isOver) underWay.add(leave);
    });
  };

  return {
    source,
    async resolve<K extends RecordType>(name: string, type: K): Promise<Answer<K>> {
      const lower = name.toLowerCase();
      const key = `${type} ${lower}`;
      const known = cached(key) as Answer<K> | undefined;
      if (known) return known;
      asked += 1;
      if (asked <= DNS_LIMITS.ordinaryQuestions) return ask(key, lower, type);
      const before = last;
      const turn = (async () => {
        await before;
        return ask(key, lower, type);
      })();
      last = turn.catch(() => {});
      return turn;
    },
    questions: () => asked,
    isShort: () => short,
    ranOutOfTime() {
      short ||= waited;
    },
    end() {
      ended = true;
      for (const leave of underWay) leave();
      underWay.clear();
    },
  };
}
