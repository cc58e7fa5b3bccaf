/**
 * Who has how many look-ups, as a tree: networks, networks in them, sessions. Each level is counted alone, so that a
 * network with a thousand sessions has one share beside a network with one.
 *
 * Pure bookkeeping over claims, bounded by the places and the queue above it: the smallest share of a level gets the
 * next place, and the largest gives one back.
 */
import { DNS_LIMITS } from '../limits.ts';
import type { LookUpOwner } from '../resolver.ts';

/** The part of the code that holds a place, or waits for one. */
export interface Holder {
  /** The waiting claim got its place. */
  granted(): void;
  /** The waiting claim was refused. */
  refused(): void;
  /**
   * The place is taken back. Returns the claim of another asker of the same look-up, which may have the place
   * instead.
   */
  revoked(): Claim | undefined;
}

export interface Claim {
  readonly share: Share;
  readonly holder: Holder;
  state: 'held' | 'waiting' | 'placed' | 'over';
  /** When it entered its state, on the monotonic clock. */
  since: number;
}

export interface Share {
  readonly name: string;
  readonly parent: Share | undefined;
  readonly children: Map<string, Share>;
  running: number;
  waiting: number;
  /** Of a session only, oldest first. */
  readonly placed: Set<Claim>;
  readonly queue: Set<Claim>;
  /** Claims beyond the bound of one session: a free place would not help them. */
  readonly held: Set<Claim>;
}

export function newShare(name: string, parent?: Share): Share {
  const [children, placed, queue, held] = [new Map(), new Set<Claim>(), new Set<Claim>(), new Set<Claim>()];
  return { name, parent, children, running: 0, waiting: 0, placed, queue, held };
}

/** The share of an owner, created on first use. */
export function shareOf(root: Share, owner: LookUpOwner): Share {
  let share = root;
  for (const name of owner) {
    let child = share.children.get(name);
    if (!child) {
      child = newShare(name, share);
      share.children.set(name, child);
    }
    share = child;
  }
  return share;
}

/** Removes empty shares. */
export function prune(share: Share): void {
  let one = share;
  while (one.parent && one.running === 0 && one.waiting === 0 && one.held.size === 0 && one.children.size === 0) {
    // A new share of the same name may have replaced it.
    if (one.parent.children.get(one.name) === one) one.parent.children.delete(one.name);
    one = one.parent;
  }
}

export function place(claim: Claim, now: number): void {
  claim.state = 'placed';
  claim.since = now;
  claim.share.placed.add(claim);
  count(claim.share, 'running', 1);
}

export function enqueue(claim: Claim, now: number): void {
  claim.state = 'waiting';
  claim.since = now;
  claim.share.queue.add(claim);
  count(claim.share, 'waiting', 1);
}

export function hold(claim: Claim): void {
  claim.state = 'held';
  claim.share.held.add(claim);
}

/** Removes it from its set or queue. */
export function remove(claim: Claim): void {
  const { share, state } = claim;
  if (state === 'placed' && share.placed.delete(claim)) count(share, 'running', -1);
  if (state === 'waiting' && share.queue.delete(claim)) count(share, 'waiting', -1);
  if (state === 'held') share.held.delete(claim);
  claim.state = 'over';
}

function count(share: Share, what: 'running' | 'waiting', by: number): void {
  for (let one: Share | undefined = share; one; one = one.parent) one[what] += by;
}

/** A session has at most its bound in flight or in the queue. */
export function isFull({ placed, queue }: Share): boolean {
  return placed.size + queue.size >= DNS_LIMITS.sessionInFlight;
}

/** The next claim: on each level from the share with the least in flight, in turn. */
export function nextWaiting(root: Share): Claim | undefined {
  let share = root;
  while (share.children.size > 0) {
    let least: Share | undefined;
    for (const child of share.children.values())
      if (child.waiting > 0 && (!least || child.running < least.running)) least = child;
    if (!least) return undefined;
    // Of equal shares, the one just served goes last.
    share.children.delete(least.name);
    share.children.set(least.name, least);
    share = least;
  }
  return share.queue.values().next().value;
}

/**
 * The claim that loses its place to `newcomer`: on the first level where `newcomer` has less than others, the longest
 * look-up of the largest share, if it has had its time.
 */
export function findVictim(root: Share, newcomer: Share, now: number): Claim | undefined {
  const { larger, equal } = DNS_LIMITS.cutAfterMs;
  for (let share: Share | undefined = root; share; share = childTowards(share, newcomer)) {
    const own = childTowards(share, newcomer);
    let victim: Claim | undefined;
    let most = own?.running ?? 0;
    for (const child of share.children.values()) {
      if (child === own || child.running <= most) continue;
      const oldest = oldestOf(child);
      const ahead = child.running - (own?.running ?? 0);
      if (!oldest || now - oldest.since < (ahead > 1 ? larger : equal)) continue;
      victim = oldest;
      most = child.running;
    }
    if (victim) return victim;
  }
  return undefined;
}

/**
 * The claim that leaves the full queue for `newcomer`: the newest of the largest waiting share, if that is larger
 * than the newcomer's.
 */
export function findLongest(root: Share, newcomer: Share): Claim | undefined {
  for (let share: Share | undefined = root; share; share = childTowards(share, newcomer)) {
    const own = childTowards(share, newcomer);
    let longest: Share | undefined;
    for (const child of share.children.values())
      if (child !== own && child.waiting > (longest?.waiting ?? (own?.waiting ?? 0) + 1)) longest = child;
    if (longest) return [...largestLeaf(longest, 'waiting').queue].at(-1);
  }
  return undefined;
}

/** The names and figures of the largest shares, for an administrator. */
export function largest(root: Share, most: number): readonly string[] {
  return [...root.children.values()]
    .sort((a, b) => b.running + b.waiting - a.running - a.waiting)
    .slice(0, most)
    .map(({ name, running, waiting }) => `${name} (${running} in flight, ${waiting} waiting)`);
}

function childTowards(share: Share, leaf: Share): Share | undefined {
  let one: Share | undefined = leaf;
  while (one && one.parent !== share) one = one.parent;
  return one;
}

/** The oldest claim of the session that has the most. */
function oldestOf(share: Share): Claim | undefined {
  return largestLeaf(share, 'running').placed.values().next().value;
}

function largestLeaf(share: Share, by: 'running' | 'waiting'): Share {
  let one = share;
  while (one.children.size > 0) {
    let largest: Share | undefined;
    for (const child of one.children.values()) if (!largest || child[by] > largest[by]) largest = child;
    one = largest!;
  }
  return one;
}
