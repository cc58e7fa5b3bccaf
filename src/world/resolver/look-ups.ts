/**
 * Look-ups under way: equal questions share one, and it lives as long as one asker waits for it.
 *
 * Each asker has a claim to a place of its own until the look-up begins, so nobody waits in another's queue; then one
 * of them pays. When the payer leaves, its place passes to another asker that waits, or the look-up is given up.
 */
import type { LookUpOwner } from '../resolver.ts';
import type { AnyAnswer } from './cache.ts';
import type { Places } from './places.ts';
import type { Claim } from './shares.ts';

/** Why there is no answer. */
export type Shortfall = 'no-place' | 'gone';

export interface Waiter {
  readonly owner: LookUpOwner | undefined;
  answered(answer: AnyAnswer): void;
  /** Called once, in place of the answer. */
  failed(why: Shortfall): void;
  /** Called after a defect. */
  broke(error: unknown): void;
  /** The question has to wait for a place. */
  waits(): void;
}

export interface LookUps {
  /** `begin`: asks, until `signal`. Returns a function that removes the waiter. */
  join(key: string, waiter: Waiter, begin: (signal: AbortSignal) => Promise<AnyAnswer>): () => void;
}

interface Asker extends Waiter {
  readonly lookUp: LookUp;
  claim: Claim | undefined;
}

interface LookUp {
  readonly key: string;
  readonly begin: (signal: AbortSignal) => Promise<AnyAnswer>;
  readonly askers: Set<Asker>;
  readonly abort: AbortController;
  /** The asker that has the place; undefined: the look-up has not begun. */
  payer: Asker | undefined;
}

export function createLookUps(places: Places): LookUps {
  const underWay = new Map<string, LookUp>();

  function run(lookUp: LookUp, payer: Asker): void {
    lookUp.payer = payer;
    for (const asker of lookUp.askers) if (asker !== payer) release(asker);
    const over = (tell: (asker: Asker) => void): void => {
      if (lookUp.abort.signal.aborted) return;
      underWay.delete(lookUp.key);
      if (lookUp.payer) release(lookUp.payer);
      for (const asker of lookUp.askers) tell(asker);
      lookUp.askers.clear();
    };
    lookUp.begin(lookUp.abort.signal).then(
      (answer) => over((asker) => asker.answered(answer)),
      (error) => over((asker) => asker.broke(error)),
    );
  }

  function release(asker: Asker): void {
    const { claim } = asker;
    asker.claim = undefined;
    if (claim) places.leave(claim);
  }

  function giveUp(lookUp: LookUp): void {
    if (underWay.get(lookUp.key) === lookUp) underWay.delete(lookUp.key);
    lookUp.abort.abort();
  }

  function drop(asker: Asker, why: Shortfall): void {
    if (asker.lookUp.askers.delete(asker)) asker.failed(why);
  }

  /** The look-up is given up, or another asker pays. */
  function leave(asker: Asker): void {
    const { lookUp } = asker;
    if (!lookUp.askers.has(asker)) return;
    lookUp.askers.delete(asker);
    if (lookUp.askers.size === 0) giveUp(lookUp);
    else if (lookUp.payer === asker) {
      const heir = first(lookUp.askers);
      const { claim } = asker;
      asker.claim = undefined;
      lookUp.payer = heir;
      heir.claim = places.heir(heir.owner, holderOf(heir));
      if (claim) places.pass(claim, heir.claim);
    }
    release(asker);
    asker.failed('gone');
  }

  const holderOf = (asker: Asker) => ({
    granted: () => run(asker.lookUp, asker),
    refused() {
      asker.claim = undefined;
      drop(asker, 'no-place');
      if (asker.lookUp.askers.size === 0) giveUp(asker.lookUp);
    },
    /**
     * The whole network of the payer loses the place; an asker of another network takes over the question and pays.
     */
    revoked(): Claim | undefined {
      const { lookUp, owner } = asker;
      asker.claim = undefined;
      for (const one of [...lookUp.askers]) if (one === asker || one.owner?.[0] === owner?.[0]) drop(one, 'no-place');
      if (lookUp.askers.size === 0) {
        giveUp(lookUp);
        return undefined;
      }
      const heir = first(lookUp.askers);
      lookUp.payer = heir;
      heir.claim = places.heir(heir.owner, holderOf(heir));
      return heir.claim;
    },
  });

  return {
    join(key, waiter, begin) {
      let lookUp = underWay.get(key);
      if (!lookUp) {
        lookUp = { key, begin, askers: new Set(), abort: new AbortController(), payer: undefined };
        underWay.set(key, lookUp);
      }
      const asker: Asker = { ...waiter, lookUp, claim: undefined };
      lookUp.askers.add(asker);
      if (!lookUp.payer) claim(asker);
      return () => leave(asker);
    },
  };

  function claim(asker: Asker): void {
    const holder = holderOf(asker);
    asker.claim = places.claim(asker.owner, holder);
    if (asker.claim.state === 'placed') holder.granted();
    else if (asker.claim.state === 'over') holder.refused();
    else asker.waits();
  }
}

function first<T>(set: ReadonlySet<T>): T {
  return set.values().next().value!;
}
