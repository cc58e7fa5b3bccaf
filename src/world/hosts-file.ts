/**
 * Host names to addresses. Names that an operator entered honour the hosts file, as `ping` would; names that come
 * from untrusted hosts never do (they could otherwise name what only this machine knows).
 *
 * Three answers: addresses, none, cannot tell. When only one family could be asked, the answer is marked incomplete,
 * since a missing address proves nothing then.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Clock } from './clock.ts';
import { rereadFile } from './reread.ts';
import type { DnsAnswer, Resolver } from './resolver.ts';

export type HostAnswer =
  | {
      readonly kind: 'found';
      /** IPv4 first; IPv6 in canonical form. */
      readonly addresses: readonly string[];
      readonly ttlSeconds: number;
      readonly complete: boolean;
    }
  | { readonly kind: 'none'; readonly ttlSeconds: number }
  | { readonly kind: 'unknown'; readonly reason: string };

/** `name`: a host name or an address. */
export type ResolveHost = (name: string, options: { readonly hostsFile: boolean }) => Promise<HostAnswer>;

export interface HostServices {
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly hostsFile?: string;
}

/** The hosts file is checked again after this time; an address literal never changes. */
const HOSTS_FILE_TTL_SECONDS = 5;
const ADDRESS_TTL_SECONDS = 86_400;

export function createHostResolver({ resolver, clock, hostsFile = '/etc/hosts' }: HostServices): ResolveHost {
  const hosts = rereadFile(hostsFile, clock, parseHosts);
  return async (name, options) => {
    if (isIP(name)) return found([canonical(name)], ADDRESS_TTL_SECONDS);
    const host = name.toLowerCase().replace(/\.$/, '');
    const listed = options.hostsFile ? hosts().get(host) : undefined;
    if (listed) return found(listed, HOSTS_FILE_TTL_SECONDS);
    const [four, six] = await Promise.all([resolver.resolve(host, 'A'), resolver.resolve(host, 'AAAA')]);
    return both(four, six);
  };
}

/** hosts(5): an address, then its names. A name on several lines has all their addresses. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!address || !isIP(address)) continue;
    for (const name of names) {
      const known = hosts.get(name.toLowerCase());
      if (known) known.push(canonical(address));
      else hosts.set(name.toLowerCase(), [canonical(address)]);
    }
  }
  return hosts;
}

function both(four: DnsAnswer<string>, six: DnsAnswer<string>): HostAnswer {
  const answers = [four, six];
  const addresses = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
  const complete = answers.every(({ kind }) => kind !== 'unknown');
  const ttlSeconds = Math.min(...answers.map((answer) => (answer.kind === 'unknown' ? Infinity : answer.ttlSeconds)));
  if (addresses.length > 0) return found(addresses, ttlSeconds, complete);
  for (const answer of answers) if (answer.kind === 'unknown') return { kind: 'unknown', reason: answer.reason };
  return { kind: 'none', ttlSeconds };
}

function found(addresses: readonly string[], ttlSeconds: number, complete = true): HostAnswer {
  return { kind: 'found', addresses, ttlSeconds, complete };
}

/** The form in which the resolver and the sockets write addresses, so that they compare as text. */
function canonical(address: string): string {
  return ipaddr.process(address).toString();
}
