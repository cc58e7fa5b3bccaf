/**
 * Destinations: back-off, slow start, and whose turn it is. In memory only, and pure but for the time
 * it is given; the rows themselves stay in the database.
 *
 * A destination is known while it has waiting rows, claims in flight, or a back-off; of the waiting
 * ones at most `KNOWN_DESTINATIONS`, since those that are forgotten are found again by the sweep.
 */

import {
  BACKOFF_FIRST_MS,
  BACKOFF_LAST_MS,
  BUFFERED_CLAIMS,
  BUFFERED_PER_DESTINATION,
  BUFFERED_PER_DESTINATION_CROWDED,
  FIRST_WINDOW,
  KNOWN_DESTINATIONS,
  LAST_WINDOW,
  REMEMBERED_WINDOWS,
} from '../limits.ts';
import type { ActiveClaim } from './active-claims.ts';
import { createTimeHeap } from './heap.ts';

/** A commit that waits until mail before it has gone. */
export interface AwaitedPlace {
  readonly bytes: number;
  /** Undefined: in vain. */
  readonly answer: (place: DestinationState | undefined) => void;
}

export interface DestinationState {
  readonly name: string;
  /** When the first of its waiting rows is due, as far as known; Infinity: none waits. */
  due: number;
  /** Back-off: nothing is claimed before. */
  retryAt: number;
  failures: number;
  /** What the try met after which it backs off; operators read it. */
  failure: string;
  /** Slow start, the only one: claims that may be with the dispatcher at once. */
  window: number;
  inFlight: number;
  /** Places in the buffer promised to commits on their way to the disk. */
  reserved: number;
  readonly buffer: ActiveClaim[];
  /** Commits that wait for a place, in their order. */
  readonly waiting: AwaitedPlace[];
  claiming: boolean;
  /** Stands in the queue of those that are due. */
  queued: boolean;
  /** The earliest heap entry that will look at it. */
  looksAt: number;
}

export interface Destinations {
  readonly size: number;
  find(name: string): DestinationState | undefined;
  get(name: string): DestinationState;
  /** A row waits, due then. */
  note(destination: DestinationState, due: number): void;
  /** Returns false while its back-off runs already: many claims that fail together are one failure. */
  failed(destination: DestinationState, now: number, failure: string): boolean;
  succeeded(destination: DestinationState): void;
  /** The next that has due rows and no back-off, round robin. */
  takeDue(now: number): DestinationState | undefined;
  /** When takeDue will have something, at the earliest; undefined: not by time alone. */
  nextLook(): number | undefined;
  /** Places left in its part of the buffer, were `buffered` claims in the whole of it. */
  places(destination: DestinationState, buffered: number, now: number): number;
  dropIfIdle(destination: DestinationState, now: number): void;
}

export function createDestinations(): Destinations {
  const known = new Map<string, DestinationState>();
  const looks = createTimeHeap<DestinationState>();
  const due: DestinationState[] = [];
  /** Of those that are not known, the one forgotten last at the end. */
  const windows = new Map<string, number>();

  const schedule = (destination: DestinationState): void => {
    const at = Math.max(destination.due, destination.retryAt);
    if (destination.queued || at >= destination.looksAt) return;
    destination.looksAt = at;
    looks.push(at, destination);
  };

  const remember = ({ name, window }: DestinationState): void => {
    if (window === FIRST_WINDOW && windows.size === 0) return;
    windows.delete(name);
    if (window === FIRST_WINDOW) return;
    windows.set(name, window);
    if (windows.size > REMEMBERED_WINDOWS) windows.delete(windows.keys().next().value!);
  };

  return {
    get size() {
      return known.size;
    },
    find: (name) => known.get(name),
    get(name) {
      let found = known.get(name);
      if (!found) {
        if (known.size >= KNOWN_DESTINATIONS) forgetOne(known, remember);
        found = create(name, windows.get(name) ?? FIRST_WINDOW);
        known.set(name, found);
      }
      return found;
    },
    note(destination, at) {
      if (at < destination.due) destination.due = at;
      schedule(destination);
    },
    failed(destination, now, failure) {
      if (now < destination.retryAt) return false;
      const backoffMs = Math.min(BACKOFF_FIRST_MS * 2 ** destination.failures, BACKOFF_LAST_MS);
      destination.failures++;
      destination.failure = failure;
      destination.retryAt = now + backoffMs;
      destination.window = 1;
      return true;
    },
    succeeded(destination) {
      if (destination.window < LAST_WINDOW) destination.window++;
      if (destination.failures === 0) return;
      destination.failures = 0;
      destination.retryAt = 0;
      schedule(destination);
    },
    takeDue(now) {
      for (let look = looks.peek(); look && look.at <= now; look = looks.peek()) {
        looks.pop();
        const { item } = look;
        if (item.queued || look.at !== item.looksAt) continue;
        item.looksAt = Number.POSITIVE_INFINITY;
        if (Math.max(item.due, item.retryAt) > now) schedule(item);
        else {
          item.queued = true;
          due.push(item);
        }
      }
      for (let next = due.shift(); next; next = due.shift()) {
        next.queued = false;
        if (Math.max(next.due, next.retryAt) <= now) return next;
        schedule(next);
      }
      return undefined;
    },
    nextLook: () => looks.peek()?.at,
    places(destination, buffered, now) {
      if (now < destination.retryAt) return 0;
      const crowded = buffered * 2 > BUFFERED_CLAIMS;
      const most = crowded ? BUFFERED_PER_DESTINATION_CROWDED : BUFFERED_PER_DESTINATION;
      const own = destination.buffer.length + destination.reserved;
      // What comes back is not believed at once; what nothing is known of may buffer more than it may try.
      const believed = destination.window >= FIRST_WINDOW ? most : destination.window - destination.inFlight;
      return Math.min(most - own, believed - own, BUFFERED_CLAIMS - buffered);
    },
    dropIfIdle(destination, now) {
      if (isBusy(destination) || destination.queued || destination.due !== Number.POSITIVE_INFINITY) return;
      if (destination.retryAt > now || destination.failures > 0) return;
      known.delete(destination.name);
      remember(destination);
    },
  };
}

function create(name: string, window: number): DestinationState {
  return {
    name,
    due: Number.POSITIVE_INFINITY,
    retryAt: 0,
    failures: 0,
    failure: '',
    window,
    inFlight: 0,
    reserved: 0,
    buffer: [],
    waiting: [],
    claiming: false,
    queued: false,
    looksAt: Number.POSITIVE_INFINITY,
  };
}

function isBusy({ inFlight, reserved, buffer, waiting, claiming }: DestinationState): boolean {
  return claiming || inFlight + reserved + buffer.length + waiting.length > 0;
}

/** The oldest that has nothing in hand; its rows stay in the database for the sweep to find. */
function forgetOne(known: Map<string, DestinationState>, remember: (destination: DestinationState) => void): void {
  for (const destination of known.values()) {
    if (isBusy(destination) || destination.queued) continue;
    known.delete(destination.name);
    remember(destination);
    destination.looksAt = Number.NaN;
    return;
  }
}
