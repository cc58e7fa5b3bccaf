/**
 * Places for look-ups in flight: our own questions have some that untrusted clients cannot use, and the clients share
 * the others. While there is room, every question gets a place. While there is none, the owner with the least comes
 * next, and takes the place of a look-up that has had its time, from the owner with most.
 *
 * Never waits longer than a bound: a client's claim that finds no place is refused. Each shortage is one event when
 * it begins and one when it ends.
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
  readonly usedByClients: number;
  readonly waiting: number;
  /** Since the start. */
  readonly refused: number;
  readonly cut: number;
}

export interface Places {
  /**
   * Asks for a place; `state` of the claim is the result: `placed`, `waiting` or `held` (its holder is called later),
   * or `over`: refused. `owner` undefined: a question of our own.
   */
  claim(owner: LookUpOwner | undefined, holder: Holder): Claim;
  /** Gives the place back, or stops waiting for one. */
  leave(claim: Claim): void;
  /** A claim without a place, to take over the place of another asker of the same look-up. */
  heir(owner: LookUpOwner | undefined, holder: Holder): Claim;
  pass(from: Claim, heir: Claim): void;
  figures(): PlaceFigures;
}

/** Neither side gets more, so that the other keeps its part. */
const MOST = DNS_LIMITS.inFlight - DNS_LIMITS.reserved;

export function createPlaces(clock: Clock, events: Events): Places {
  const own = newShare('own');
  const clients = newShare('clients');
  const shortage = createShortageWatch(clock, events, clients);
  /** Sessions whose load became smaller: their held claims may proceed. */
  const emptied = new Set<Share>();
  let [refused, cut] = [0, 0];
  let sweep: TimerHandle | undefined;

  const hasRoom = (root: Share): boolean => root.running < MOST && own.running + clients.running < DNS_LIMITS.inFlight;

  const begin = (owner: LookUpOwner | undefined, holder: Holder): Claim => ({
    share: owner ? shareOf(clients, owner) : own,
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

  /** Takes a place from an owner that has more. */
  function makeRoom(newcomer: Share): boolean {
    // An heir keeps the place of the asker that lost it; then another victim is looked for, a bounded number of
    // times.
    for (let tries = 0; tries < 3; tries++) {
      const victim = findVictim(clients, newcomer, clock.monotonic());
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

  /** False: no owner has more waiting than the newcomer. */
  function shortenLongest(newcomer: Share): boolean {
    const longest = findLongest(clients, newcomer);
    if (!longest) return false;
    refuse(longest);
    longest.holder.refused();
    return true;
  }

  /** Gives free places to the next claims. */
  function serve(): void {
    for (;;) {
      const next = hasRoom(own) ? own.queue.values().next().value : undefined;
      const claim = next ?? (hasRoom(clients) ? nextWaiting(clients) : undefined);
      if (!claim) return;
      grant(claim);
    }
  }

  /** Refuses claims that waited too long, and cuts look-ups that were too young at the last check. */
  function lookThrough(): void {
    sweep = undefined;
    shortage.waited();
    const now = clock.monotonic();
    for (const claim of allWaiting(clients)) {
      if (claim.state !== 'waiting' || now - claim.since < DNS_LIMITS.placeMs) continue;
      refuse(claim);
      claim.holder.refused();
    }
    for (;;) {
      const claim = nextWaiting(clients);
      if (!claim || !(hasRoom(clients) || makeRoom(claim.share))) break;
      // Cutting a look-up may have ended this claim.
      if (claim.state === 'waiting') grant(claim);
    }
    settle();
  }

  function watch(): void {
    if (clients.waiting > 0) sweep ??= clock.after(DNS_LIMITS.sweepMs, lookThrough);
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
    // Free places mean that no claim waits.
    if (hasRoom(clients) || makeRoom(share)) place(claim, clock.monotonic());
    else if (clients.waiting < DNS_LIMITS.waiting || shortenLongest(share)) {
      enqueue(claim, clock.monotonic());
      watch();
    } else refuse(claim);
  }

  /** Lets held claims of sessions proceed once there is room, and sets the timer while a claim waits. */
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
      used: own.running + clients.running,
      usedByClients: clients.running,
      waiting: own.waiting + clients.waiting,
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
