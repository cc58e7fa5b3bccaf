/**
 * Places for look-ups in flight: our own questions have some that strangers cannot use, and strangers
 * share theirs. While there is room nobody is asked anything. While there is none, the least served
 * comes next, and takes the place of a look-up that has had its time, of whoever has most.
 *
 * Never waits longer than a bound: a stranger's claim that finds no place is refused. Each shortage is
 * one event when it begins and one when it ends.
 */
import type { Clock, TimerHandle } from '../clock.ts';
import type { Events } from '../events.ts';
import { DNS_LIMITS } from '../limits.ts';
import type { LookUpOwner } from '../resolver.ts';
import {
  type Claim,
  enqueue,
  findLongest,
  findVictim,
  type Holder,
  hold,
  isFull,
  newShare,
  nextWaiting,
  place,
  prune,
  remove,
  type Share,
  shareOf,
} from './shares.ts';
import { createShortageWatch } from './shortage.ts';

export interface PlaceFigures {
  readonly used: number;
  readonly usedByStrangers: number;
  readonly waiting: number;
  /** Since the start. */
  readonly refused: number;
  readonly cut: number;
}

export interface Places {
  /**
   * Asks for a place; `state` of the claim says what came of it: `placed`, `waiting` or `held` (its
   * holder hears later), or `over`: refused. `owner` undefined: a question of our own.
   */
  claim(owner: LookUpOwner | undefined, holder: Holder): Claim;
  /** Gives the place back, or waits no more. */
  leave(claim: Claim): void;
  /** A claim without a place, to take over that of another who waits for the same look-up. */
  heir(owner: LookUpOwner | undefined, holder: Holder): Claim;
  pass(from: Claim, heir: Claim): void;
  figures(): PlaceFigures;
}

/** Neither side gets more, so that the other keeps its part. */
const MOST = DNS_LIMITS.inFlight - DNS_LIMITS.reserved;

export function createPlaces(clock: Clock, events: Events): Places {
  const own = newShare('own');
  const strangers = newShare('strangers');
  const shortage = createShortageWatch(clock, events, strangers);
  /** Sessions that have less than before: what they held back may go on. */
  const emptied = new Set<Share>();
  let [refused, cut] = [0, 0];
  let sweep: TimerHandle | undefined;

  const hasRoom = (root: Share): boolean =>
    root.running < MOST && own.running + strangers.running < DNS_LIMITS.inFlight;

  const begin = (owner: LookUpOwner | undefined, holder: Holder): Claim => ({
    share: owner ? shareOf(strangers, owner) : own,
    holder,
    state: 'over',
    since: 0,
  });

  const refuse = (claim: Claim): void => {
    remove(claim);
    emptied.add(claim.share);
    refused += 1;
    shortage.refused();
  };

  const grant = (claim: Claim): void => {
    remove(claim);
    place(claim, clock.monotonic());
    claim.holder.granted();
  };

  /** Takes the place of somebody who has more. */
  function makeRoom(newcomer: Share): boolean {
    // An heir keeps the place that its neighbour lost; then another victim is looked for, not for ever.
    for (let tries = 0; tries < 3; tries++) {
      const victim = findVictim(strangers, newcomer, clock.monotonic());
      if (!victim) return false;
      cut += 1;
      shortage.cut();
      remove(victim);
      const heir = victim.holder.revoked();
      if (heir) {
        remove(heir);
        place(heir, clock.monotonic());
      }
      emptied.add(victim.share);
      if (!heir) return true;
    }
    return false;
  }

  /** False: nobody waits with more than the newcomer. */
  function shortenLongest(newcomer: Share): boolean {
    const longest = findLongest(strangers, newcomer);
    if (!longest) return false;
    refuse(longest);
    longest.holder.refused();
    return true;
  }

  /** Places that came free, to who is next. */
  function serve(): void {
    for (;;) {
      const next = hasRoom(own) ? own.queue.values().next().value : undefined;
      const claim = next ?? (hasRoom(strangers) ? nextWaiting(strangers) : undefined);
      if (!claim) return;
      grant(claim);
    }
  }

  /** What was too young to be cut is older now; who waited too long waits no more. */
  function lookThrough(): void {
    sweep = undefined;
    shortage.waited();
    const now = clock.monotonic();
    for (const claim of allWaiting(strangers)) {
      if (claim.state !== 'waiting' || now - claim.since < DNS_LIMITS.placeMs) continue;
      refuse(claim);
      claim.holder.refused();
    }
    for (;;) {
      const claim = nextWaiting(strangers);
      if (!claim || !(hasRoom(strangers) || makeRoom(claim.share))) break;
      // Cutting one may have ended what waited.
      if (claim.state === 'waiting') grant(claim);
    }
    settle();
  }

  function watch(): void {
    if (strangers.waiting > 0) sweep ??= clock.after(DNS_LIMITS.sweepMs, lookThrough);
    else {
      sweep?.cancel();
      sweep = undefined;
    }
  }

  function claimOwn(claim: Claim): void {
    if (hasRoom(own)) place(claim, clock.monotonic());
    else if (own.waiting < DNS_LIMITS.waiting) enqueue(claim, clock.monotonic());
    else claim.state = 'over';
  }

  function claimShare(claim: Claim): void {
    const { share } = claim;
    if (isFull(share)) {
      if (share.held.size < DNS_LIMITS.sessionWaiting) hold(claim);
      else refuse(claim);
      return;
    }
    // Nobody waits while there is room.
    if (hasRoom(strangers) || makeRoom(share)) place(claim, clock.monotonic());
    else if (strangers.waiting < DNS_LIMITS.waiting || shortenLongest(share)) {
      enqueue(claim, clock.monotonic());
      watch();
    } else refuse(claim);
  }

  /** What sessions held back, once they have room of their own; and the timer, as long as somebody waits. */
  function settle(): void {
    for (const share of emptied) {
      emptied.delete(share);
      const claim: Claim | undefined = share.held.values().next().value;
      if (!claim || isFull(share)) {
        prune(share);
        continue;
      }
      share.held.delete(claim);
      claimShare(claim);
      emptied.add(share);
      if (claim.state === 'placed') claim.holder.granted();
      else if (claim.state === 'over') claim.holder.refused();
    }
    watch();
  }

  return {
    claim(owner, holder) {
      const claim = begin(owner, holder);
      if (owner) claimShare(claim);
      else claimOwn(claim);
      if (emptied.size > 0) settle();
      return claim;
    },
    leave(claim) {
      if (claim.state === 'over') return;
      remove(claim);
      emptied.add(claim.share);
      serve();
      settle();
    },
    heir: begin,
    pass(from, heir) {
      remove(from);
      place(heir, clock.monotonic());
      emptied.add(from.share);
      settle();
    },
    figures: () => ({
      used: own.running + strangers.running,
      usedByStrangers: strangers.running,
      waiting: own.waiting + strangers.waiting,
      refused,
      cut,
    }),
  };
}

/** At most as many as may wait. */
function allWaiting(share: Share): readonly Claim[] {
  if (share.waiting === 0) return [];
  const waiting = [...share.queue];
  for (const child of share.children.values()) waiting.push(...allWaiting(child));
  return waiting;
}
