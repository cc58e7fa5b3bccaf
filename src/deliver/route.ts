/**
 * Where mail for a destination goes (architecture, section 4).
 *
 * Local domain: its own servers in order, else the default ones, else local mailboxes; never the smart host, never
 * MX. Remote domain: the smart host, else MX (RFC 5321 5.1). If a server that an operator entered cannot be reached,
 * resolved or used, mail is deferred; a problem of a domain's published records may also bounce it.
 */
import type { DomainMailServer } from '../directory/contract.ts';
import { literalAddress } from '../protocol/smtp/domain.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import { type AddressRules, inOrder } from './addresses.ts';
import { exchangerRoute } from './exchangers.ts';
import { parseHostPort } from './host-port.ts';
import { DELIVERY_LIMITS } from './limits.ts';
import { type OwnHosts, ownHosts } from './own-hosts.ts';
import { deliverySettings, publicAddressSettings } from './settings.ts';
import { type DeliveryOptions, type DeliveryServices, type Host, noRoute, type Route } from './types.ts';

export interface RouteContext {
  readonly services: DeliveryServices;
  readonly rules: AddressRules;
  readonly own: OwnHosts;
  readonly exchangerPort: number;
}

/** Never rejects: an unknown route defers. */
export type RouteFinder = (destination: string) => Promise<Route>;

export function createRouteFinder(services: DeliveryServices, options: DeliveryOptions): RouteFinder {
  const { clock, settings } = services;
  let context: RouteContext | undefined;
  let from: SettingsSnapshot | undefined;
  let until = 0;
  /**
   * Asking the system for its addresses takes longer than all the rest of finding a route, and they hardly ever
   * change.
   */
  const current = (snapshot: SettingsSnapshot): RouteContext => {
    if (context && from === snapshot && clock.monotonic() < until) return context;
    context = contextOf(services, options, snapshot);
    from = snapshot;
    until = clock.monotonic() + DELIVERY_LIMITS.ownAddressesMs;
    return context;
  };
  return (destination) => findRoute(destination, current(settings.current()), settings.current());
}

function contextOf(services: DeliveryServices, options: DeliveryOptions, settings: SettingsSnapshot): RouteContext {
  const localAddresses = options.localAddresses();
  const publicAddresses = settings.get(publicAddressSettings.publicAddresses);
  return {
    services,
    rules: { family: settings.get(deliverySettings.addressFamily), localAddresses, random: services.random },
    own: ownHosts(options.hostname, [...localAddresses, ...publicAddresses], options.listeningPorts),
    exchangerPort: options.exchangerPort ?? 25,
  };
}

async function findRoute(destination: string, context: RouteContext, settings: SettingsSnapshot): Promise<Route> {
  const { services } = context;
  const sink = services.sinks?.[destination];
  if (sink) return { kind: 'sink', sink };
  try {
    if (await services.directory.domain(destination)) return await localRoute(destination, context);
    const literal = literalAddress(destination);
    if (literal) return literalRoute(literal, context);
    const smartHost = parseHostPort(settings.get(deliverySettings.smartHost), 25);
    if (smartHost) return await serverRoute([[smartHost]], 'the smart host', context);
    return await exchangerRoute(destination, context);
  } catch (error) {
    return noRoute('deferred', '4.3.0', `the route cannot be found out: ${(error as Error).message}`);
  }
}

async function localRoute(domain: string, context: RouteContext): Promise<Route> {
  const servers = await context.services.directory.mailServers(domain);
  if (servers.length === 0) return { kind: 'mailboxes' };
  const byOrder = Map.groupBy(
    [...servers].sort((a, b) => a.order - b.order),
    (server: DomainMailServer) => server.order,
  );
  return serverRoute([...byOrder.values()], "the domain's mail servers", context);
}

interface Server {
  readonly host: string;
  readonly port: number;
}

/** Servers that an operator entered: the hosts file counts, and a mistake of the operator loses no mail. */
async function serverRoute(
  groups: readonly (readonly Server[])[],
  what: string,
  { services, rules, own }: RouteContext,
): Promise<Route> {
  const problems = new Set<'loop' | 'unknown' | 'none' | 'locked'>();
  const hosts = await Promise.all(
    groups.map((servers) =>
      Promise.all(
        servers.map(async ({ host, port }): Promise<Host> => {
          const login = services.logins?.of(host, port);
          if (login && !login.connect) {
            problems.add('locked');
            return [];
          }
          const found = await services.resolveHost(host, { hostsFile: true });
          if (found.kind !== 'found') problems.add(found.kind);
          const addresses = found.kind === 'found' ? inOrder(found.addresses, rules) : [];
          const candidates = addresses.map((address) => ({ host, address, port, ...(login && { login }) }));
          if (!candidates.some((candidate) => own.isOwnServer(candidate))) return candidates;
          problems.add('loop');
          return [];
        }),
      ),
    ),
  );
  const usable = hosts.map((group) => group.filter((host) => host.length > 0)).filter((group) => group.length > 0);
  if (usable.length > 0) return { kind: 'hosts', groups: usable, isEntered: true };
  if (problems.has('loop')) return noRoute('deferred', '4.4.6', `${what} lead back to this node`);
  if (problems.has('locked'))
    return noRoute('deferred', '4.7.0', `the credentials for ${what} cannot be opened any more: set them again`);
  if (problems.has('unknown')) return noRoute('deferred', '4.4.3', `DNS did not answer for ${what}`);
  return noRoute('deferred', '4.4.4', `${what} have no address`);
}

/** RFC 5321 4.1.3: the address itself, at the standard port. */
function literalRoute(address: string, { own, exchangerPort }: RouteContext): Route {
  const candidate = { host: address, address, port: exchangerPort };
  if (own.isOwnExchanger(candidate)) return noRoute('failed', '5.4.6', 'the address leads back to this node');
  return { kind: 'hosts', groups: [[[candidate]]] };
}
