/**
 * The addresses by which other hosts know this node: those of its outgoing connections, and those at which it
 * receives mail. An address that an operator entered counts as public whatever its range; of the machine's own
 * addresses only public ones do.
 */
import ipaddr from 'ipaddr.js';
import { parseHostPort } from '../deliver/host-port.ts';
import { deliverySettings, publicAddressSettings } from '../deliver/settings.ts';
import type { SettingsSnapshot } from '../settings/contract.ts';
import { POSTURE_LIMITS } from './limits.ts';

export interface OwnNode {
  /** In lower case. */
  readonly hostname: string;
  /** The name sent to other servers. */
  readonly heloName: string;
  /** The addresses at which this node receives mail. */
  readonly reachable: readonly string[];
  /** The addresses of connections to other servers; empty if a smart host takes all mail. */
  readonly sending: readonly string[];
  /** The host that takes all outgoing mail. */
  readonly smartHost: string | undefined;
}

export function ownNode(snapshot: SettingsSnapshot, hostname: string, interfaces: readonly string[]): OwnNode {
  const entered = snapshot.get(publicAddressSettings.publicAddresses).map(canonical);
  const reachable = distinct([...entered, ...interfaces.map(canonical).filter(isPublic)]);
  const bound = snapshot.get(deliverySettings.bindAddresses).map(canonical);
  const boundPublic = bound.filter((address) => isPublic(address) || entered.includes(address));
  // Bound to private addresses: a router maps the connection to one of those that were entered.
  const leaving = boundPublic.length > 0 ? boundPublic : bound.length > 0 ? entered : reachable;
  const family = snapshot.get(deliverySettings.addressFamily);
  const isUsed = (address: string): boolean => family === 'both' || (family === 'ipv6') === address.includes(':');
  const smartHost = snapshot.get(deliverySettings.smartHost);
  return {
    hostname: hostname.toLowerCase(),
    heloName: (snapshot.get(deliverySettings.heloName) || hostname).toLowerCase(),
    reachable,
    sending: smartHost === '' ? leaving.filter(isUsed) : [],
    smartHost: smartHost === '' ? undefined : parseHostPort(smartHost, 25)?.host,
  };
}

/** The form in which the resolver writes addresses, so that they compare as text. */
function canonical(address: string): string {
  return ipaddr.process(address.replace(/%.*/, '')).toString();
}

function isPublic(address: string): boolean {
  return ipaddr.parse(address).range() === 'unicast';
}

function distinct(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].slice(0, POSTURE_LIMITS.addresses);
}
