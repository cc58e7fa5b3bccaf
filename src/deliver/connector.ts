/**
 * Opens sessions, and remembers what came of it: hosts that could not be connected to are not asked
 * again for a while, and an address whose TLS handshake failed is connected to in clear for an hour,
 * unless a policy demands TLS.
 */
import { isIPv6 } from 'node:net';
import { connectSmtp } from '../wire/client/connection.ts';
import type { Deadlines } from '../wire/client/deadlines.ts';
import type { OpeningFailure, Suspicion } from '../wire/client/words.ts';
import type { DeliveryConfig } from './config.ts';
import { endpointOf } from './destinations.ts';
import type { Peers } from './peers.ts';
import type { Pooled } from './pool.ts';
import type { Candidate, DeliveryServices } from './words.ts';

export interface Connector {
  demandsTls(destination: string, host: string): boolean;
  open(
    destination: string,
    candidate: Candidate,
    ready: (pooled: Pooled) => void,
    failed: (failure: OpeningFailure) => void,
  ): void;
  distrust(candidate: Candidate, suspicion: Suspicion): void;
  /** Abandons what is being opened, silently. */
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

  const demandsTls = (destination: string, host: string): boolean => tlsPolicy?.(destination, host) === 'required';

  const remember = (destination: string, candidate: Candidate, failure: OpeningFailure): void => {
    const { host, address, port } = candidate;
    const { kind, step, reason } = failure;
    const endpoint = endpointOf(candidate);
    events.emit('delivery.connection.failed', { destination, host, address, port, step, kind, reason });
    if (kind === 'connection') peers.unreachable.set(endpoint, reason, config().failureCacheMs);
    if (kind !== 'tls' || demandsTls(destination, host)) return;
    const minutes = config().tlsFallbackMinutes;
    peers.inClear.set(endpoint, true, minutes * 60_000);
    events.emit('delivery.tls.fallback', { host, address, port, reason, minutes });
  };

  return {
    demandsTls,
    open(destination, candidate, ready, failed) {
      const { host, address, port } = candidate;
      const { heloName, bindAddresses, timeouts } = config();
      const endpoint = endpointOf(candidate);
      const opportunistic = peers.inClear.get(endpoint) ? 'clear' : 'opportunistic';
      const abandon = connectSmtp(
        {
          address,
          port,
          host,
          heloName,
          localAddress: bindAddresses.find((local) => isIPv6(local) === isIPv6(address)),
          tls: demandsTls(destination, host) ? 'required' : opportunistic,
          tlsOptions: tls.opportunistic,
          timeouts,
          without: peers.without(endpoint),
        },
        deadlines,
        {
          ready(connection) {
            underWay.delete(abandon);
            ready({ connection, endpoint, openedAt: clock.monotonic(), sent: 0, idleSince: 0 });
          },
          failed(failure) {
            underWay.delete(abandon);
            remember(destination, candidate, failure);
            failed(failure);
          },
        },
      );
      underWay.add(abandon);
    },
    distrust(candidate, suspicion) {
      const { host, address } = candidate;
      peers.distrust(endpointOf(candidate), suspicion);
      events.emit('delivery.peer.distrusted', { host, address, extension: suspicion });
    },
    close() {
      for (const abandon of underWay) abandon();
      underWay.clear();
    },
  };
}
