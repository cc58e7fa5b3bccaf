/**
 * Opens sessions, and caches the results: unreachable hosts are not tried again for a while, and an address whose TLS
 * handshake failed is connected to in clear for an hour, unless a policy demands TLS, or we sign in there, or it
 * refuses clear text. Rejected credentials are not sent again for a while either, as many servers lock an account
 * after several failures.
 */
import { isIPv6 } from 'node:net';
import { connectSmtp } from '../wire/client/connection.ts';
import type { Deadlines } from '../wire/client/deadlines.ts';
import type { OpeningFailure, Suspicion } from '../wire/client/types.ts';
import type { DeliveryConfig } from './config.ts';
import { endpointOf } from './destinations.ts';
import type { Peers } from './peers.ts';
import type { Pooled } from './pool.ts';
import { createSignInOutages } from './sign-in-outages.ts';
import { asksForTls } from './tls-demand.ts';
import type { Candidate, DeliveryServices } from './types.ts';

export interface Connector {
  /** Whether an idle connection may still be used. */
  mayUse(destination: string, pooled: Pooled): boolean;
  open(
    destination: string,
    candidate: Candidate,
    ready: (pooled: Pooled) => void,
    failed: (failure: OpeningFailure) => void,
  ): void;
  /** A host refused the clear text that we fell back to: the next connection uses TLS. */
  tlsDemanded(pooled: Pooled): void;
  distrust(pooled: Pooled, suspicion: Suspicion): void;
  /** A server that an operator entered takes no mail without authentication. */
  signInDemanded(server: Pick<Candidate, 'host' | 'port'>): void;
  /** Abandons connections that are being opened, without a report. */
  close(): void;
}

export function createConnector(
  services: DeliveryServices,
  deadlines: Deadlines,
  peers: Peers,
  config: () => DeliveryConfig,
): Connector {
  const { clock, events, tls, tlsPolicy } = services;
  const underWay = new Set<() => void>();
  const outages = createSignInOutages(events);

  const demandsTls = (destination: string, host: string): boolean => tlsPolicy?.(destination, host) === 'required';

  const remember = (destination: string, candidate: Candidate, failure: OpeningFailure) => {
    const { host, address, port } = candidate;
    const { kind, step, reason } = failure;
    const endpoint = endpointOf(candidate);
    events.emit('delivery.connection.failed', { destination, host, address, port, step, kind, reason });
    if (candidate.login) return rememberSignIn(candidate, endpoint, failure);
    if (kind === 'connection') peers.unreachable.set(endpoint, reason, config().failureCacheMs);
    if (kind !== 'tls' || demandsTls(destination, host)) return;
    const minutes = config().tlsFallbackMinutes;
    peers.inClear.set(endpoint, reason, minutes * 60_000);
    events.emit('delivery.tls.fallback', { host, address, port, reason, minutes });
  };

  const rememberSignIn = (candidate: Candidate, endpoint: string, failure: OpeningFailure): void => {
    outages.failed(candidate, failure);
    if (failure.kind === 'refused') peers.unreachable.delete(endpoint);
    else peers.unreachable.set(endpoint, failure.reason, config().failureCacheMs);
  };

  const signedIn = (candidate: Candidate, endpoint: string): void => {
    peers.unreachable.delete(endpoint);
    outages.succeeded(candidate);
  };

  const tlsDemanded = (
    { host, address, port }: Pick<Candidate, 'host' | 'address' | 'port'>,
    endpoint: string,
  ): void => {
    if (peers.inClear.get(endpoint) === undefined) return;
    peers.inClear.delete(endpoint);
    events.emit('delivery.tls.demanded', { host, address, port });
  };

  return {
    mayUse(destination, { connection: { tls: facts, host }, endpoint, inClearAs }) {
      if (facts) return true;
      return !demandsTls(destination, host) && (inClearAs === undefined || peers.inClear.get(endpoint) !== undefined);
    },
    tlsDemanded: ({ connection, endpoint }) => tlsDemanded(connection, endpoint),
    signInDemanded: outages.demanded,
    open(destination, candidate, ready, failed) {
      const { host, address, port, login } = candidate;
      const { heloName, bindAddresses, timeouts } = config();
      const endpoint = endpointOf(candidate);
      if (outages.isFailing(candidate))
        peers.unreachable.set(endpoint, 'its sign-in is being tried', config().failureCacheMs);
      const isDemanded = login !== undefined || demandsTls(destination, host);
      const inClearAs = isDemanded ? undefined : peers.inClear.get(endpoint);
      const opportunistic = inClearAs === undefined ? 'opportunistic' : 'clear';
      const abandon = connectSmtp(
        {
          address,
          port,
          host,
          heloName,
          localAddress: bindAddresses.find((local) => isIPv6(local) === isIPv6(address)),
          tls: isDemanded ? 'required' : opportunistic,
          tlsOptions: tls.opportunistic,
          timeouts,
          without: peers.without(endpoint),
          ...login?.connect,
        },
        deadlines,
        {
          ready(connection) {
            underWay.delete(abandon);
            if (login) signedIn(candidate, endpoint);
            ready({ connection, endpoint, openedAt: clock.monotonic(), inClearAs, sent: 0, idleSince: 0 });
          },
          failed(failure) {
            underWay.delete(abandon);
            remember(destination, candidate, failure);
            const { reply } = failure;
            if (inClearAs === undefined || !reply || !asksForTls(reply)) return failed(failure);
            tlsDemanded(candidate, endpoint);
            failed({ ...failure, kind: 'tls' });
          },
        },
      );
      underWay.add(abandon);
    },
    distrust({ connection: { host, address }, endpoint }, suspicion) {
      peers.distrust(endpoint, suspicion);
      events.emit('delivery.peer.distrusted', { host, address, extension: suspicion });
    },
    close() {
      for (const abandon of underWay) abandon();
      underWay.clear();
    },
  };
}
