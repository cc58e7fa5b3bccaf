/**
 * How many connections there may be, in all and from one network: counted over all listeners, so
 * that no port can be used to starve another. Never waits; a refusal is told at once.
 */
import { isLoopback, networkOf } from './network.ts';

export interface AdmissionLimits {
  readonly connections: number;
  readonly connectionsPerNetwork: number;
}

export type AdmissionRefusal = 'too-many-connections' | 'too-many-from-network';

export interface Admission {
  /** Counts a connection that has come; undefined: there is room. Undone by `leave`. */
  enter(limits: AdmissionLimits): AdmissionRefusal | undefined;
  leave(): void;
  /** The same for its network, once it is known who the client is. This machine itself is not counted. */
  enterNetwork(address: string, limits: AdmissionLimits): AdmissionRefusal | undefined;
  leaveNetwork(address: string): void;
  readonly connections: number;
}

export function createAdmission(): Admission {
  let connections = 0;
  const networks = new Map<string, number>();
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
      if (isLoopback(address)) return undefined;
      const network = networkOf(address);
      const present = networks.get(network) ?? 0;
      if (present >= limits.connectionsPerNetwork) return 'too-many-from-network';
      networks.set(network, present + 1);
      return undefined;
    },
    leaveNetwork(address) {
      if (isLoopback(address)) return;
      const network = networkOf(address);
      const present = networks.get(network) ?? 0;
      if (present > 1) networks.set(network, present - 1);
      else networks.delete(network);
    },
  };
}
