/**
 * The addresses of a host, in the order to try them: IPv6 before IPv4 if this machine has an IPv6 address of that
 * scope, after it if not (a small part of RFC 6724); any order within a family.
 */
import { isIPv6 } from 'node:net';
import { type Random, shuffle } from '../world/random.ts';

export interface AddressRules {
  readonly family: 'both' | 'ipv4' | 'ipv6';
  readonly localAddresses: readonly string[];
  readonly random: Random;
}

export function inOrder(
  addresses: readonly string[],
  { family, localAddresses, random }: AddressRules,
): readonly string[] {
  const allowed = addresses.filter((address) => family === 'both' || isIPv6(address) === (family === 'ipv6'));
  const reaches = new Set(localAddresses.filter((address) => isIPv6(address)).map(reach));
  const rank = (address: string): number => (isIPv6(address) ? (reaches.has(reach(address)) ? 0 : 2) : 1);
  return shuffle([...allowed], random).sort((a, b) => rank(a) - rank(b));
}

/** The scope of an IPv6 address (RFC 4193, RFC 4291): an address reaches others of its scope. */
function reach(address: string): 'loopback' | 'link' | 'unique-local' | 'global' {
  if (address === '::1') return 'loopback';
  if (/^fe[89ab]/i.test(address)) return 'link';
  return /^f[cd]/i.test(address) ? 'unique-local' : 'global';
}
