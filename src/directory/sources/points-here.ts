/** Whether a domain's mail exchangers are this node: by name, or by one of its addresses. */

import type { ResolveHost } from '../../world/hosts-file.ts';
import type { Random } from '../../world/random.ts';
import { shuffle } from '../../world/random.ts';
import type { Resolver } from '../../world/resolver.ts';
import type { PointsHere } from './domain-creation.ts';
import { MX_HOSTS } from './limits.ts';

export interface PointsHereServices {
  readonly resolver: Resolver;
  readonly resolveHost: ResolveHost;
  readonly random: Random;
  readonly hostname: string;
  /** The addresses of this machine, and of the router in front of it. */
  readonly addresses: () => readonly string[];
}

export function createPointsHere(services: PointsHereServices): PointsHere {
  const { resolver, resolveHost, random, hostname, addresses } = services;
  return async (domain) => {
    const answer = await resolver.resolve(domain, 'MX');
    if (answer.kind === 'unknown') return 'cannot-tell';
    if (answer.kind === 'none') return 'no';
    const hosts = answer.records.map(({ exchange }) => exchange.toLowerCase().replace(/\.$/, ''));
    if (hosts.includes(hostname.toLowerCase())) return 'yes';
    const own = new Set(addresses());
    let unsure = false;
    for (const host of shuffle(hosts, random).slice(0, MX_HOSTS)) {
      // Names of untrusted domains never use the hosts file.
      const found = await resolveHost(host, { hostsFile: false });
      if (found.kind === 'found' && found.addresses.some((address) => own.has(address))) return 'yes';
      unsure ||= found.kind === 'unknown';
    }
    return unsure ? 'cannot-tell' : 'no';
  };
}
