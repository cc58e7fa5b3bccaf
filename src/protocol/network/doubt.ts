/**
 * Networks that are probably a mistake: wider than any organisation's own, every IPv4 address in IPv6 form, or an
 * address where a network was asked for. One reader for every list of networks (settings, configuration, allow
 * entries, domain servers, pairs), after normalising, so that no list accepts more than another.
 *
 * It doubts and does not refuse: an operator may insist. Text that is no network has no doubt here; its reader
 * refuses it.
 */
import { SHORTEST_PREFIX } from './limits.ts';
import { canonicalNetwork, type Network, parseNetworks } from './network.ts';

export type NetworkDoubt =
  /** Bits after the prefix: `192.0.2.7/24` may mean one address or all 256. */
  | { readonly kind: 'host-bits'; readonly network: string; readonly address: string }
  | { readonly kind: 'too-wide'; readonly network: string }
  /** It stands for every, or nearly every, IPv4 address. */
  | { readonly kind: 'translated'; readonly network: string; readonly by: string };

/** `trust`: the list grants something to its addresses. `block`: only a mistake that affects everybody is doubted. */
export type NetworkUse = 'trust' | 'block';

interface Translation {
  readonly by: string;
  readonly network: Network;
  /** The position of the bits of the IPv4 address. */
  readonly at: number;
}

/** IPv6 prefixes that hold IPv4 addresses; the mapped one, ::ffff:0:0/96, is read as IPv4 already. */
const TRANSLATIONS: readonly Translation[] = (
  [
    // RFC 4291 2.5.5.1
    ['IPv4-compatible', '::/96', 96],
    // RFC 2765 2.1
    ['IPv4-translated', '::ffff:0:0:0/96', 96],
    // RFC 6052 2.1
    ['NAT64', '64:ff9b::/96', 96],
    // RFC 8215 5: its operator chooses the position of the address, so the longest form counts.
    ['NAT64', '64:ff9b:1::/48', 96],
    // RFC 4380 2.6
    ['Teredo', '2001::/32', 96],
    // RFC 3056 2
    ['6to4', '2002::/16', 16],
  ] as const
).map(([by, text, at]) => ({ by, network: parseNetworks(text)![0]!, at }));

/**
 * RFC 4193 3.1 and RFC 4291 2.5.6: these addresses are used within one's own network only, so all of them may be
 * meant.
 */
const OWN = ['fc00::/7', 'fe80::/10'].map((text) => parseNetworks(text)![0]!);

/** The number of addresses in the widest IPv4 network that passes. */
const MOST_ADDRESSES = 2 ** (32 - SHORTEST_PREFIX[32]);

/** Undefined: it passes, or it is no network. */
export function networkDoubt(text: string, use: NetworkUse = 'trust'): NetworkDoubt | undefined {
  const trimmed = text.trim();
  const networks = parseNetworks(trimmed);
  if (!networks) return undefined;
  const network = canonicalNetwork(trimmed)!;
  const address = canonicalNetwork(trimmed.split('/', 1)[0]!)!;
  if (use === 'block') return blockDoubt(networks, network) ?? hostBits(networks, network, address);
  if (isTooWide(networks)) return { kind: 'too-wide', network };
  const by = networks.length === 1 ? translation(networks[0]!) : undefined;
  return by === undefined ? hostBits(networks, network, address) : { kind: 'translated', network, by };
}

/** Completes `it must be`. */
export function networkMust(doubt: NetworkDoubt): string {
  switch (doubt.kind) {
    case 'host-bits':
      return `${doubt.network} (the network) or ${doubt.address} (the address)`;
    case 'too-wide':
      return `at most a /${SHORTEST_PREFIX[32]} of IPv4 or a /${SHORTEST_PREFIX[128]} of IPv6, and ${doubt.network} is wider`;
    case 'translated':
      return `one's own network, and ${doubt.network} stands for IPv4 addresses of everybody (${doubt.by})`;
  }
}

function blockDoubt(networks: readonly Network[], network: string): NetworkDoubt | undefined {
  return networks.some(({ prefix }) => prefix === 0) ? { kind: 'too-wide', network } : undefined;
}

function isTooWide(networks: readonly Network[]): boolean {
  if (networks.some((one) => one.prefix < SHORTEST_PREFIX[one.bits] && !OWN.some((own) => isWithin(one, own))))
    return true;
  // `1*.*.*.*` is no wide network by itself, but it stands for 111 of them.
  const addresses = networks.reduce((sum, { bits, prefix }) => sum + (bits === 32 ? 2 ** (bits - prefix) : 0), 0);
  return addresses > MOST_ADDRESSES;
}

function translation(one: Network): string | undefined {
  if (one.bits === 32) return undefined;
  const found = TRANSLATIONS.find(
    ({ network, at }) => isWithin(network, one) || (isWithin(one, network) && one.prefix < at + SHORTEST_PREFIX[32]),
  );
  return found?.by;
}

function hostBits(networks: readonly Network[], network: string, address: string): NetworkDoubt | undefined {
  const [one] = networks;
  if (networks.length !== 1 || !one || one.prefix === one.bits || !network.includes('/')) return undefined;
  const [masked] = network.split('/', 1);
  return masked === address || address.includes('/') ? undefined : { kind: 'host-bits', network, address };
}

function isWithin(inner: Network, outer: Network): boolean {
  if (inner.bits !== outer.bits || inner.prefix < outer.prefix) return false;
  return inner.key >> BigInt(inner.prefix - outer.prefix) === outer.key;
}
