/**
 * IP shielding in memory: pairs of a domain and the network that its senders come from.
 *
 * It restricts only the domains that are listed: a domain without a pair is not affected, one with several passes by
 * any of them. Presets cover local domains only, and prove less than a pair that an operator entered.
 */
import { parseNetworks } from '../../protocol/network/network.ts';
import { createNetworkTable, type NetworkTable } from '../../protocol/network/table.ts';
import { hasWildcards } from './pattern.ts';
import type { ShieldRow } from './schema.ts';
import { createPatternTable } from './wildcards.ts';

/** Stands for every local domain. */
export const LOCAL_DOMAINS = '$LOCALDOMAIN$';

/** `none`: the domain has no pair. */
export type ShieldVerdict = 'none' | 'entered' | 'preset' | 'violated';

export interface ShieldTable {
  readonly pairs: readonly ShieldRow[];
  /**
   * `presets`: networks of every local domain, from the setting; undefined if they do not count. `exactly`: a pair
   * counts only if it is for that very address, and not for a network around it.
   */
  verdict(
    domain: string,
    isLocal: boolean,
    client: string,
    presets: NetworkTable<true> | undefined,
    exactly?: boolean,
  ): ShieldVerdict;
}

export function shieldTable(pairs: readonly ShieldRow[]): ShieldTable {
  /** True: the network is one address. */
  const byDomain = new Map<string, NetworkTable<boolean>>();
  for (const { domain, network } of pairs) {
    const networks = byDomain.get(domain) ?? createNetworkTable<boolean>();
    byDomain.set(domain, networks);
    const parts = parseNetworks(network) ?? [];
    for (const part of parts) networks.add(part, parts.length === 1 && part.prefix === part.bits);
  }
  const patterns = createPatternTable<NetworkTable<boolean>>();
  for (const [domain, networks] of byDomain) if (hasWildcards(domain)) patterns.add(domain, networks);
  const local = byDomain.get(LOCAL_DOMAINS);
  return {
    pairs,
    verdict(domain, isLocal, client, presets, exactly = false) {
      const own = byDomain.get(domain);
      const shared = isLocal ? local : undefined;
      let restricted = own !== undefined || shared !== undefined;
      if (has(own, client, exactly) || has(shared, client, exactly)) return 'entered';
      if (patterns.size > 0) {
        const entered = patterns.find(domain, (networks) => {
          restricted = true;
          return has(networks, client, exactly);
        });
        if (entered) return 'entered';
      }
      if (isLocal && presets && presets.size > 0) return presets.find(client) ? 'preset' : 'violated';
      return restricted ? 'violated' : 'none';
    },
  };
}

function has(networks: NetworkTable<boolean> | undefined, client: string, exactly: boolean): boolean {
  const isOne = networks?.find(client);
  return exactly ? isOne === true : isOne !== undefined;
}
