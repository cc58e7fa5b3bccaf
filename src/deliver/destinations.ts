/**
 * The state of each destination: how many claims of it are in hand, whether it took mail the last time, and its route
 * for a few seconds. The queue counts how many it may have at a time (slow start), up to the setting.
 */
import type { Clock } from '../world/clock.ts';
import { DELIVERY_LIMITS } from './limits.ts';
import type { Candidate, Route } from './types.ts';

export interface RouteTarget {
  readonly name: string;
  /** Claims in hand. */
  active: number;
  /** It took mail the last time that it was asked. */
  takesMail: boolean;
  route: Route | undefined;
  /** Endpoints of the route, preferred first: where an idle connection is looked up. */
  endpoints: readonly string[];
  routeUntil: number;
  finding: Promise<Route> | undefined;
}

export interface Destinations {
  get(name: string): RouteTarget | undefined;
  getOrAdd(name: string): RouteTarget;
  /** Settings or servers changed: look up again. */
  forgetRoutes(): void;
}

/** The key of idle connections: sessions of different credentials are different endpoints. */
export function endpointOf({ address, port, login }: Candidate): string {
  return login ? `${address} ${port} ${login.key}` : `${address} ${port}`;
}

export function createDestinations(): Destinations {
  const all = new Map<string, RouteTarget>();

  /** Drops the oldest that are unused; the number in use is bounded by the connections. */
  const makeRoom = (): void => {
    if (all.size < DELIVERY_LIMITS.destinations) return;
    for (const [name, { active }] of all) {
      if (active > 0) continue;
      all.delete(name);
      return;
    }
  };

  return {
    get: (name) => all.get(name),
    getOrAdd(name) {
      const known = all.get(name);
      if (known) return known;
      makeRoom();
      const added: RouteTarget = {
        name,
        active: 0,
        takesMail: false,
        route: undefined,
        endpoints: [],
        routeUntil: 0,
        finding: undefined,
      };
      all.set(name, added);
      return added;
    },
    forgetRoutes() {
      for (const destination of all.values()) destination.route = undefined;
    },
  };
}

/** Concurrent claims of one destination share one look-up. */
export function routeOf(
  destination: RouteTarget,
  clock: Clock,
  find: (name: string) => Promise<Route>,
): Route | Promise<Route> {
  if (destination.route && destination.routeUntil > clock.monotonic()) return destination.route;
  destination.finding ??= find(destination.name).then((route) => {
    destination.finding = undefined;
    destination.route = route;
    destination.routeUntil = clock.monotonic() + DELIVERY_LIMITS.routeMs;
    destination.endpoints =
      route.kind === 'hosts' ? route.groups.flatMap((group) => group.flatMap((host) => host.map(endpointOf))) : [];
    return route;
  });
  return destination.finding;
}
