/**
 * Whether an address leads back to this node (RFC 5321 5.1), which would loop.
 *
 * A mail exchanger of a remote domain is this node at any address of this machine or any in `smtp.publicAddresses`,
 * whatever the port. A server that an operator entered is this node only at a port where we listen: a mail server on
 * the same machine is a common setup.
 */
import ipaddr from 'ipaddr.js';
import type { Candidate } from './types.ts';

export interface OwnHosts {
  isOwnExchanger(candidate: Candidate): boolean;
  isOwnServer(candidate: Candidate): boolean;
}

export function ownHosts(
  hostname: string,
  addresses: readonly string[],
  listeningPorts: () => readonly number[],
): OwnHosts {
  const own = new Set(addresses.map(canonical));
  const isOwnAddress = (address: string): boolean => {
    const plain = canonical(address);
    return own.has(plain) || plain === '0.0.0.0' || plain === '::';
  };
  const ownName = hostname.toLowerCase();
  return {
    isOwnExchanger: ({ host, address }) => host === ownName || isOwnAddress(address),
    isOwnServer: ({ address, port }) => listeningPorts().includes(port) && isOwnAddress(address),
  };
}

/** One spelling an address: IPv4-mapped IPv6 as IPv4, IPv6 compressed. */
function canonical(address: string): string {
  return ipaddr.process(address).toString();
}
