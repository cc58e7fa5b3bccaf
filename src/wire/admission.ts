/**
 * How many connections there may be, in all and from one network: counted over all listeners, so that no port can be
 * used to starve another. Never waits; a refusal is immediate.
 *
 * A client that has many networks (an IPv6 /48 holds 65,536) is limited to a part of the places once half of them are
 * taken, so that no site and no provider has all. Bounded by the connections themselves.
 */
import type { Server, Socket } from 'node:net';
import { CROWDED_PART, PROVIDER_PART, SITE_PART } from './limits.ts';
import { canonicalAddress, isLoopback, networkOf, providerOf, siteOf } from './network.ts';

export interface AdmissionLimits {
  readonly connections: number;
  readonly connectionsPerNetwork: number;
}

export type AdmissionRefusal = 'too-many-connections' | 'too-many-from-network';

export interface Admission {
  /** Counts a new connection; undefined: there is room. `leave` reverts it. */
  enter(limits: AdmissionLimits): AdmissionRefusal | undefined;
  leave(): void;
  /** The same for the client's network, once the client is known. */
  enterNetwork(address: string, limits: AdmissionLimits): AdmissionRefusal | undefined;
  leaveNetwork(address: string): void;
  readonly connections: number;
}

/** `exempts`: addresses that the limits of networks do not count; by default those of this machine. */
export function createAdmission(exempts: (address: string) => boolean = isLoopback): Admission {
  let connections = 0;
  /** Networks, sites and providers; their spellings differ. */
  const counts = new Map<string, number>();
  const has = (name: string): number => counts.get(name) ?? 0;
  const add = (name: string, by: 1 | -1): void => {
    const count = has(name) + by;
    if (count > 0) counts.set(name, count);
    else counts.delete(name);
  };
  const isFull = (address: string, limits: AdmissionLimits): boolean => {
    if (has(networkOf(address)) >= limits.connectionsPerNetwork) return true;
    if (connections <= limits.connections * CROWDED_PART) return false;
    const part = (of: number): number => Math.max(1, Math.floor(limits.connections * of));
    return has(siteOf(address)) >= part(SITE_PART) || has(providerOf(address)) >= part(PROVIDER_PART);
  };
  const count = (address: string, by: 1 | -1): void => {
    for (const name of new Set([networkOf(address), siteOf(address), providerOf(address)])) add(name, by);
  };
  return {
    get connections() {
      return connections;
    },
    enter(limits) {
      if (connections >= limits.connections) return 'too-many-connections';
      connections++;
      return undefined;
    },
    leave() {
      connections--;
    },
    enterNetwork(address, limits) {
      if (exempts(address)) return undefined;
      if (isFull(address, limits)) return 'too-many-from-network';
      count(address, 1);
      return undefined;
    },
    leaveNetwork(address) {
      if (!exempts(address)) count(address, -1);
    },
  };
}

/**
 * The same for a server that has no listener of this folder: a connection without a place is closed, without a reply.
 * Programs on this machine have the share of their address, too.
 */
export function limitConnections(server: Server, limits: AdmissionLimits): void {
  const admission = createAdmission(() => false);
  server.prependListener('connection', (socket: Socket) => {
    const client = canonicalAddress(socket.remoteAddress ?? '');
    const isFull = admission.enter(limits) !== undefined;
    if (isFull || admission.enterNetwork(client, limits)) {
      if (!isFull) admission.leave();
      socket.destroy();
      return;
    }
    socket.on('close', () => {
      admission.leaveNetwork(client);
      admission.leave();
    });
  });
}
