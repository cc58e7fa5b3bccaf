/**
 * From waiting rows to the dispatcher: keeps claims ready in memory, and hands them over where there
 * is room.
 *
 * A claim is buffered from its commit (the fast path) or made from due rows of the database,
 * destination by destination in turn. A destination in back-off keeps no claims: they go back to
 * their rows, so that the dead never crowd out the living.
 */

import type { TimerHandle } from '../../world/clock.ts';
import type { Dispatcher } from '../contract.ts';
import type { Lane } from '../inline/lane.ts';
import {
  BUFFERED_BYTES,
  BUFFERED_CLAIMS,
  CLAIMING_DESTINATIONS,
  CLAIMS_PER_TURN,
  PLACE_WAIT_MS,
  PLACES_AWAITED,
  WAKE_MISSES,
} from '../limits.ts';
import { claims } from '../model/transitions.ts';
import type { NodeParts } from '../parts.ts';
import type { QueueStatements } from '../rows/statements.ts';
import { keepTrying } from '../settle/keep-trying.ts';
import type { ActiveClaim } from './active-claims.ts';
import type { AuthorHolds } from './author-holds.ts';
import { type Claimer, createClaimer } from './claiming.ts';
import { type AwaitedPlace, createDestinations, type DestinationState, type Destinations } from './destinations.ts';

export interface Dispatch {
  readonly destinations: Destinations;
  readonly activeClaims: ReadonlyMap<string, ActiveClaim>;
  /** A place for a claim that is about to be committed; undefined: its rows shall wait in the database. */
  reserve(destination: string, bytes: number): DestinationState | undefined;
  /**
   * Where mail flows, but comes faster than it goes: a place as soon as there is one, undefined when
   * there was none in time. At once undefined: it does not flow.
   */
  awaitPlace(destination: string, bytes: number): Promise<DestinationState | undefined> | undefined;
  cancel(destination: DestinationState): void;
  /** A reserved claim is on disk. */
  offer(active: ActiveClaim): void;
  /** Rows wait, due then. */
  note(destination: string, due: number): void;
  attach(dispatcher: Dispatcher): void;
  wake(destination?: string): void;
  /** Settled or void: no longer in flight. */
  ended(active: ActiveClaim): void;
  failed(destination: string, failure: string): void;
  succeeded(destination: string): void;
  /** An operator wants them tried now: their back-off is over. */
  retryNow(destinations: Iterable<string>): void;
  /** A buffered claim goes to nobody: its rows are held. */
  withdraw(active: ActiveClaim): void;
  /** Asks the dispatcher to end a claim that it has; false: too late. */
  stopTry(active: ActiveClaim): boolean;
  /** Claims whose rows an operator took away are not handed out. */
  forget(leases: readonly string[]): void;
  /** Claims nothing more, and gives back what the dispatcher has not taken. */
  stop(): Promise<void>;
}

export interface DispatchParts extends NodeParts {
  readonly lane: Lane;
  readonly authorHolds: AuthorHolds;
  /** Of a claim that was withdrawn: holds it, and then calls `ended`. */
  readonly withhold: (active: ActiveClaim) => void;
}

export function createDispatch(parts: DispatchParts, sql: QueueStatements, newLease: () => string): Dispatch {
  const { clock, events, database, lane, authorHolds, withhold } = parts;
  const destinations = createDestinations();
  const activeClaims = new Map<string, ActiveClaim>();
  const claimer: Claimer = createClaimer(parts, sql, newLease);
  /** Destinations with buffered claims. */
  const ready = new Set<DestinationState>();
  let dispatcher: Dispatcher | undefined;
  /** Leases of claims still being made, whose rows an operator took. */
  const lost = new Set<string>();
  let buffered = 0;
  let bufferedBytes = 0;
  let claiming = 0;
  /** Commits that wait for a place. */
  let awaited = 0;
  let stopped = false;
  let timer: TimerHandle | undefined;
  let timerAt = Number.POSITIVE_INFINITY;

  /** Returns how many it handed over. */
  const handOver = (destination: DestinationState): number => {
    if (!dispatcher || stopped) return 0;
    let count = 0;
    while (destination.buffer.length > 0 && destination.inFlight < destination.window) {
      if (dispatcher.room(destination.name) <= 0) break;
      const active = destination.buffer.shift()!;
      unbuffer(active);
      active.phase = claims.handOver(active.phase, active.message.id);
      destination.inFlight++;
      dispatcher.take(active.claim);
      count++;
    }
    if (destination.buffer.length === 0) ready.delete(destination);
    // There are places again for what waits in the database.
    if (count > 0 && destination.due !== Number.POSITIVE_INFINITY) destinations.note(destination, destination.due);
    return count;
  };

  const buffer = (active: ActiveClaim): void => {
    activeClaims.set(active.claim.lease, active);
    active.destination.buffer.push(active);
    ready.add(active.destination);
    buffered++;
    bufferedBytes += active.bytes;
    const hold = authorHolds.of(active.message.author);
    if (!hold) return;
    active.hold = hold;
    withdraw(active);
  };

  const unbufferOne = (active: ActiveClaim): void => {
    const { destination } = active;
    destination.buffer.splice(destination.buffer.indexOf(active), 1);
    if (destination.buffer.length === 0) ready.delete(destination);
    unbuffer(active);
  };

  const withdraw = (active: ActiveClaim): void => {
    active.phase = claims.withdraw(active.phase, active.message.id);
    unbufferOne(active);
    active.destination.inFlight++;
    withhold(active);
  };

  const unbuffer = (active: ActiveClaim): void => {
    buffered--;
    bufferedBytes -= active.bytes;
  };

  const over = (active: ActiveClaim): void => {
    active.phase = claims.end(active.phase, active.message.id);
    letGo(active);
  };

  const letGo = (active: ActiveClaim): void => {
    activeClaims.delete(active.claim.lease);
    // What could not spill although it had to needs its bytes still.
    if (!lane.holds(active.lease)) active.release?.();
  };

  const places = (destination: DestinationState): number =>
    bufferedBytes >= BUFFERED_BYTES ? 0 : destinations.places(destination, buffered, clock.now());

  /** The second half of the buffer is for claims that are handed over at once: the dead stand in the first. */
  const isCrowdedOut = ({ name, inFlight, window }: DestinationState): boolean =>
    buffered * 2 >= BUFFERED_CLAIMS && (inFlight >= window || dispatcher!.room(name) <= 0);

  const reserveAt = (destination: DestinationState, bytes: number): DestinationState | undefined => {
    // Older rows go first.
    if (destination.due <= clock.now() || bufferedBytes + bytes > BUFFERED_BYTES || places(destination) <= 0)
      return undefined;
    if (isCrowdedOut(destination)) return undefined;
    destination.reserved++;
    return destination;
  };

  const flows = ({ failures, due }: DestinationState): boolean => failures === 0 && due === Number.POSITIVE_INFINITY;

  /** Those who wait for a place, in their order; all in vain once mail flows no more. */
  const givePlaces = (destination: DestinationState): void => {
    const { waiting } = destination;
    const isOver = stopped || !flows(destination);
    while (waiting.length > 0) {
      const place = isOver ? undefined : reserveAt(destination, waiting[0]!.bytes);
      if (!place && !isOver) return;
      waiting.shift()!.answer(place);
    }
  };

  /** Claims for destinations whose turn it is, while the buffer has places. */
  const claimDue = (): void => {
    if (!dispatcher || stopped) return;
    while (claiming < CLAIMING_DESTINATIONS && buffered < BUFFERED_CLAIMS / 2 && bufferedBytes < BUFFERED_BYTES / 2) {
      const destination = destinations.takeDue(clock.now());
      if (!destination) break;
      const count = Math.min(CLAIMS_PER_TURN, places(destination));
      // Its next settlement or hand-over looks again.
      if (count <= 0 || destination.claiming) continue;
      claiming++;
      destination.claiming = true;
      void claimFor(destination, count);
    }
    arm();
  };

  const claimFor = async (destination: DestinationState, count: number): Promise<void> => {
    try {
      const claimed = await claimer.claim(destination, count);
      for (const active of claimed.activeClaims) if (!lost.delete(active.lease)) buffer(active);
      destination.due = claimed.nextDue;
    } catch (error) {
      events.emit('queue.work-failed', { work: 'claim', error: String(error) });
    }
    claiming--;
    if (claiming === 0) lost.clear();
    destination.claiming = false;
    if (destination.retryAt > clock.now()) void giveBack(destination);
    handOver(destination);
    destinations.note(destination, destination.due);
    destinations.dropIfIdle(destination, clock.now());
    claimDue();
  };

  /** Untried claims become waiting rows again. */
  const giveBack = async (destination: DestinationState): Promise<void> => {
    givePlaces(destination);
    const given = emptied(destination);
    if (given.length === 0) return;
    await keepTrying(parts, 'give claims back', () => release(given)).catch((error: Error) =>
      events.emit('queue.work-failed', { work: 'give claims back', error: error.message }),
    );
    destinations.note(destinations.get(destination.name), clock.now());
    arm();
  };

  const release = async (given: readonly ActiveClaim[]): Promise<void> => {
    await lane.spill(given.map(({ lease }) => lease));
    await database.write(given.flatMap((active) => claimer.releaseUnit(active)));
    for (const active of given) over(active);
  };

  /** The claims of its buffer, which are ours no more. */
  const emptied = (destination: DestinationState): readonly ActiveClaim[] => {
    const given = destination.buffer.splice(0);
    ready.delete(destination);
    for (const active of given) {
      unbuffer(active);
      active.phase = claims.giveBack(active.phase, active.message.id);
    }
    return given;
  };

  const arm = (): void => {
    const at = destinations.nextLook() ?? Number.POSITIVE_INFINITY;
    if (at >= timerAt || stopped) return;
    timer?.cancel();
    timerAt = at;
    timer = clock.after(Math.max(0, at - clock.now()), () => {
      timerAt = Number.POSITIVE_INFINITY;
      claimDue();
    });
  };

  const wakeAll = (): void => {
    let misses = 0;
    for (const destination of ready) {
      if (misses >= WAKE_MISSES) break;
      // To the end of the order: the next wake-up begins with others.
      ready.delete(destination);
      ready.add(destination);
      if (handOver(destination) === 0) misses++;
      if (ready.size === misses) break;
    }
  };

  return {
    destinations,
    activeClaims,
    reserve: (name, bytes) => (dispatcher && !stopped ? reserveAt(destinations.get(name), bytes) : undefined),
    awaitPlace(name, bytes) {
      const destination = destinations.find(name);
      if (
        !destination ||
        stopped ||
        !flows(destination) ||
        destination.inFlight + destination.reserved === 0 ||
        awaited >= PLACES_AWAITED
      )
        return undefined;
      return new Promise((resolve) => {
        awaited++;
        const timer = clock.after(PLACE_WAIT_MS, () => {
          destination.waiting.splice(destination.waiting.indexOf(place), 1);
          place.answer(undefined);
        });
        const place: AwaitedPlace = {
          bytes,
          answer(found) {
            awaited--;
            timer.cancel();
            resolve(found);
          },
        };
        destination.waiting.push(place);
      });
    },
    cancel: (destination) => void destination.reserved--,
    offer(active) {
      active.destination.reserved--;
      buffer(active);
      if (active.phase !== 'buffered') return;
      if (active.destination.retryAt > clock.now() || stopped) void giveBack(active.destination);
      else handOver(active.destination);
    },
    note(name, due) {
      destinations.note(destinations.get(name), due);
      claimDue();
    },
    attach(to) {
      dispatcher = to;
      wakeAll();
      claimDue();
    },
    wake(name) {
      if (name === undefined) wakeAll();
      else {
        const destination = destinations.find(name);
        if (destination) handOver(destination);
      }
      claimDue();
    },
    ended(active) {
      over(active);
      active.onOver?.();
      const { destination } = active;
      destination.inFlight--;
      handOver(destination);
      if (destination.waiting.length > 0) givePlaces(destination);
      if (destination.due !== Number.POSITIVE_INFINITY) {
        destinations.note(destination, destination.due);
        claimDue();
      } else destinations.dropIfIdle(destination, clock.now());
    },
    failed(name, failure) {
      const destination = destinations.get(name);
      if (destinations.failed(destination, clock.now(), failure)) void giveBack(destination);
    },
    succeeded(name) {
      const destination = destinations.find(name);
      if (destination) destinations.succeeded(destination);
    },
    retryNow(names) {
      dispatcher?.forgetFailures();
      for (const name of names) {
        const destination = destinations.get(name);
        destination.retryAt = 0;
        destinations.note(destination, clock.now());
      }
      claimDue();
    },
    withdraw,
    stopTry: ({ lease }) => dispatcher?.stop(lease) ?? false,
    forget(leases) {
      for (const lease of leases) {
        const active = activeClaims.get(lease);
        // Its rows are leased, and it is not made yet.
        if (!active && claiming > 0) lost.add(lease);
        if (active?.phase !== 'buffered') continue;
        active.phase = claims.lose(active.phase, active.message.id);
        letGo(active);
        unbufferOne(active);
      }
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      const given = [...ready].flatMap(emptied);
      // Once is enough: the next start voids what is left.
      if (given.length > 0) await release(given).catch(() => given.forEach(over));
    },
  };
}
