/** Addresses in the form that limits and trust compare: one text a host, and the network that a limit counts. */
import { isIPv4, isIPv6 } from 'node:net';
import { OperationalError } from '../model/errors.ts';
import { parseNetworks } from '../protocol/network/network.ts';
import { networksOf } from '../protocol/network/table.ts';

const MAPPED = '::ffff:';

/** One spelling an address: IPv4-mapped IPv6 becomes IPv4, IPv6 is compressed, zone indices are removed. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address;
  // The form in which the kernel reports IPv4 to a listener of both families.
  if (address.startsWith(MAPPED) && isIPv4(address.slice(MAPPED.length))) return address.slice(MAPPED.length);
  const bare = address.split('%', 1)[0]!;
  if (!isIPv6(bare)) return address;
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (!mapped) return canonical;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * The network of one customer of a provider: an IPv4 address, or an IPv6 /64 (RFC 6177). Clients that a proxy does
 * not know share one.
 */
export function networkOf(canonical: string): string {
  if (!canonical.includes(':')) return canonical;
  const [head = '', tail = ''] = canonical.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (canonical.includes('::')) {
    const after = tail === '' ? 0 : tail.split(':').length;
    while (groups.length < 8 - after && groups.length < 4) groups.push('0');
    groups.push(...tail.split(':').filter((group) => group !== ''));
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/**
 * The largest network of a provider's customer: IPv4 is routed and rented from /24 on, and a site gets an IPv6 /48
 * (RFC 6177 3) with 65,536 networks in it.
 */
export function siteOf(canonical: string): string {
  if (canonical.includes(':')) return `${networkOf(canonical).split(':').slice(0, 3).join(':')}::/48`;
  return canonical.replace(/\.\d+$/, '.0/24');
}

/** The network that a registry gives to one provider, which may be the attacker: an IPv4 /16, an IPv6 /32. */
export function providerOf(canonical: string): string {
  if (canonical.includes(':')) return `${networkOf(canonical).split(':').slice(0, 2).join(':')}::/32`;
  return canonical.replace(/\.\d+\.\d+$/, '.0.0/16');
}

export function isLoopback(canonical: string): boolean {
  return canonical === '::1' || canonical.startsWith('127.');
}

/** A set of networks given as CIDRs or single addresses. Errors: `network.malformed`. */
export function networkSet(cidrs: readonly string[]): { has(canonical: string): boolean } {
  const wrong = cidrs.find((cidr) => !parseNetworks(cidr));
  if (wrong !== undefined)
    throw new OperationalError(
      'network.malformed',
      `cannot use a network, as it must be an address or a CIDR such as 192.0.2.0/24: current value is ${wrong}`,
    );
  // A client that its proxy does not know has no address (UNKNOWN_ADDRESS): it is in no network.
  const table = networksOf(cidrs);
  return { has: (address) => table.find(address) === true };
}
