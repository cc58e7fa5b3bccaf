/**
 * Delivery: takes claims from the queue while it has room, and settles each with its results.
 *
 * Room is counted in claims: so many for each destination (its slow start is the queue's), so many in all. Claims
 * that still wait for a connection are counted separately, and those of destinations that took mail the last time
 * separately from all others, so that dead hosts never take the places of live ones.
 */
import type { AttemptResult, Claim, Dispatcher } from '../queue/contract.ts';
import { createDeadlines } from '../wire/client/deadlines.ts';
import { createAttempts } from './attempt.ts';
import { type Attempt, newAttempt } from './attempt-state.ts';
import { type DeliveryConfig, deliveryConfig } from './config.ts';
import { createConnector } from './connector.ts';
import { createDestinations, type RouteTarget, routeOf } from './destinations.ts';
import { DELIVERY_LIMITS } from './limits.ts';
import { createPeers } from './peers.ts';
import { createPool } from './pool.ts';
import { createRouteFinder } from './route.ts';
import type { DeliveryOptions, DeliveryServices, Route } from './types.ts';

export interface Delivery extends Dispatcher {
  /** Claims in hand. */
  active(): number;
  /** Looks up routes anew: a domain's servers changed. */
  forgetRoutes(): void;
  /** After the queue drained: idle connections get a QUIT, all others are cut, and their claims are not settled. */
  close(): void;
}

export function createDelivery(services: DeliveryServices, options: DeliveryOptions): Delivery {
  const { clock, events, queue, resolver, settings } = services;
  const destinations = createDestinations();
  const peers = createPeers(clock);
  let config: DeliveryConfig = deliveryConfig(settings.current(), options.hostname);
  /** The same while unresponsive hosts take many places: they are waited for less long. */
  let crowded: DeliveryConfig = forCrowded(config);
  const pool = createPool(clock, () => config.idleMs);
  const connector = createConnector(services, createDeadlines(clock), peers, () => (isCrowded() ? crowded : config));
  const attempts = createAttempts({ services, pool, peers, connector, done });
  let active = 0;
  /** By lease. */
  const inHand = new Map<string, Attempt>();
  /** Attempts for destinations that were not known to take mail. */
  let doubtful = 0;
  let closed = false;
  const findRoute = createRouteFinder(services, options);
  /** A destination was refused room because the total was reached. */
  let isFull = false;

  const stopListening = settings.onChange((snapshot) => {
    config = deliveryConfig(snapshot, options.hostname);
    crowded = forCrowded(config);
    destinations.forgetRoutes();
    queue.wake();
  });

  function room(name: string): number {
    if (closed) return 0;
    const destination = destinations.get(name);
    const alike = destination?.takesMail ? active - doubtful : doubtful;
    const inAll = Math.min(config.concurrency - attempts.transferring(), DELIVERY_LIMITS.opening - alike);
    if (inAll <= 0) isFull = true;
    return Math.max(0, Math.min(config.concurrencyPerDestination - (destination?.active ?? 0), inAll));
  }

  function isCrowded(): boolean {
    return doubtful * 2 > DELIVERY_LIMITS.opening;
  }

  function take(claim: Claim): void {
    const destination = destinations.getOrAdd(claim.destination);
    destination.active++;
    active++;
    const attempt = newAttempt(claim, destination);
    inHand.set(claim.lease, attempt);
    if (attempt.isDoubtful) doubtful++;
    const route = routeOf(destination, clock, findRoute);
    if (route instanceof Promise) void route.then((found: Route) => attempts.run(attempt, found));
    else attempts.run(attempt, route);
  }

  function done(attempt: Attempt): void {
    const { claim, destination, results } = attempt;
    inHand.delete(claim.lease);
    active--;
    if (attempt.isDoubtful) doubtful--;
    destination.active--;
    adjust(attempt, destination);
    report(attempt);
    settle(claim, results);
    // A claim for which no host was asked ends within `take`, and the next would end within its own.
    if (attempt.reached === 'none') setImmediate(wake, destination);
    else wake(destination);
  }

  function wake(destination: RouteTarget): void {
    if (closed) return;
    const name = isFull ? undefined : destination.name;
    isFull = false;
    queue.wake(name);
  }

  /** The facts for the queue's slow start and back-off. */
  function adjust({ reached, results }: Attempt, destination: RouteTarget): void {
    if (reached === 'none') {
      destination.takesMail = false;
      const failed = results.find((result) => result.kind !== 'deferred' || result.countsAsAttempt);
      if (failed) queue.destinationFailed(destination.name, failed.detail.reply);
      return;
    }
    const wasTaken = results.some(({ kind }) => kind === 'relayed' || kind === 'delivered');
    if (!wasTaken) return;
    destination.takesMail = true;
    queue.destinationSucceeded(destination.name);
  }

  /**
   * The queue retries until the disk takes it; a rejection is a defect, and then a repetition is better than a loss.
   */
  function settle(claim: Claim, results: readonly AttemptResult[]): void {
    queue.settle(claim, results).catch((error: Error) => {
      events.emit('delivery.settle.failed', { message: claim.message.id, error: error.message });
    });
  }

  /** One event for each kind of result. */
  function report({ claim, destination, results }: Attempt) {
    const [first] = results;
    // It was stopped before any host was asked.
    if (!first) return;
    if (results.length === 1) return tell(claim, destination, first, 1);
    const isUniform = results.every(({ kind, detail }) => kind === first.kind && detail === first.detail);
    if (isUniform) return tell(claim, destination, first, results.length);
    for (const same of Map.groupBy(results, ({ kind, detail }) => `${kind} ${detail.reply}`).values())
      tell(claim, destination, same[0]!, same.length);
  }

  function tell(claim: Claim, destination: RouteTarget, { kind, detail }: AttemptResult, recipients: number) {
    const { host = '', status, reply, tls } = detail;
    const { id: message } = claim.message;
    const { name } = destination;
    if (kind === 'relayed' || kind === 'delivered')
      return events.emit('delivery.accepted', { message, destination: name, host, recipients, reply, tls });
    const event = kind === 'deferred' ? 'delivery.deferred' : 'delivery.failed';
    events.emit(event, { message, destination: name, host, recipients, reply, status });
  }

  return {
    room,
    take,
    stop(lease) {
      const attempt = inHand.get(lease);
      return attempt !== undefined && attempts.stop(attempt);
    },
    forgetFailures() {
      resolver.forget();
      destinations.forgetRoutes();
      peers.unreachable.clear();
    },
    active: () => active,
    forgetRoutes: destinations.forgetRoutes,
    close() {
      closed = true;
      stopListening();
      connector.close();
      attempts.close();
      pool.close();
    },
  };
}

function forCrowded(config: DeliveryConfig): DeliveryConfig {
  const connectMs = Math.min(config.timeouts.connectMs, DELIVERY_LIMITS.connectCrowdedMs);
  return { ...config, timeouts: { ...config.timeouts, connectMs } };
}
