/** The addresses of this machine, of all interfaces, as they are now. */
import { networkInterfaces } from 'node:os';

export function localAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
