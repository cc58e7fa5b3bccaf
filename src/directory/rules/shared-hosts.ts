/**
 * Mail infrastructure that many organisations send from: all its customers come from the same addresses, so an
 * address alone proves nothing. Known are the large providers, by the networks that they publish for outgoing mail;
 * the operator can add others (`directory.sharedNetworks`).
 *
 * A range that a provider gave up stays listed until a release drops it: asking for more proof than needed is the
 * lesser mistake.
 */
import { type Network, parseNetworks } from '../../protocol/network/network.ts';
import { createNetworkTable, type NetworkTable } from '../../protocol/network/table.ts';
import type { Settings, SettingsSnapshot } from '../../settings/contract.ts';
import { createCache } from '../cache.ts';
import { directorySettings } from '../settings.ts';
import { SHARED_ANSWERS } from './limits.ts';

const NAMES = [
  'outlook.com',
  'office365.com',
  'office365.us',
  'mx.microsoft',
  'partner.outlook.cn',
  'google.com',
  'googlemail.com',
  'gmail.com',
  '1e100.net',
];

/** Names that may be entered in place of a provider's networks, so that they follow its releases. */
export const PROVIDERS: Readonly<Record<string, readonly string[]>> = {
  /**
   * learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges, Exchange Online, rows 9 and 10
   * (*.protection.outlook.com, TCP 25); spf.protection.outlook.com lies within.
   */
  'microsoft-365': [
    '40.92.0.0/15',
    '40.107.0.0/16',
    '52.100.0.0/14',
    '52.238.78.88',
    '104.47.0.0/17',
    '2a01:111:f400::/48',
    '2a01:111:f403::/48',
  ],
  google: [
    // support.google.com/a/answer/60764: the current content of _spf.google.com.
    '74.125.0.0/16',
    '209.85.128.0/17',
    '2001:4860:4864::/56',
    '2404:6800:4864::/56',
    '2607:f8b0:4864::/56',
    '2800:3f0:4864::/56',
    '2a00:1450:4864::/56',
    '2c0f:fb50:4864::/56',
    // Its earlier content, by _netblocks, _netblocks2 and _netblocks3.google.com.
    '35.190.247.0/24',
    '35.191.0.0/16',
    '64.233.160.0/19',
    '66.102.0.0/20',
    '66.249.80.0/20',
    '72.14.192.0/18',
    '108.177.8.0/21',
    '108.177.96.0/19',
    '130.211.0.0/22',
    '172.217.0.0/19',
    '172.217.32.0/20',
    '172.217.128.0/19',
    '172.217.160.0/20',
    '172.217.192.0/19',
    '172.253.56.0/21',
    '172.253.112.0/20',
    '173.194.0.0/16',
    '216.58.192.0/19',
    '216.239.32.0/19',
    '2001:4860:4000::/36',
    '2404:6800:4000::/36',
    '2607:f8b0:4000::/36',
    '2800:3f0:4000::/36',
    '2a00:1450:4000::/36',
    '2c0f:fb50:4000::/36',
    // The same page, unverified forwarding: deliberately not in SPF.
    '108.177.16.0/23',
    '142.250.220.0/23',
    '2600:1901:101::/48',
  ],
};

const KNOWN = Object.values(PROVIDERS).flatMap((networks) => networks.flatMap((text) => parseNetworks(text)!));

export function isSharedHost(host: string): boolean {
  return NAMES.some((name) => host === name || host.endsWith(`.${name}`));
}

export interface SharedNetworks {
  has(address: string): boolean;
  /** Whether any address of it is shared. */
  overlaps(network: Network): boolean;
}

export function createSharedNetworks(settings: Settings): SharedNetworks {
  let from: SettingsSnapshot | undefined;
  let all: readonly Network[] = KNOWN;
  let table: NetworkTable<true> = createNetworkTable();
  /** Few servers send much: each message asks about its client. */
  const asked = createCache<boolean>(SHARED_ANSWERS);

  function refresh(): void {
    const snapshot = settings.current();
    if (snapshot === from) return;
    from = snapshot;
    all = [...KNOWN, ...snapshot.get(directorySettings.sharedNetworks).flatMap((text) => parseNetworks(text) ?? [])];
    table = createNetworkTable();
    for (const network of all) table.add(network, true);
    asked.clear();
  }

  return {
    has(address) {
      refresh();
      const known = asked.get(address);
      if (known !== undefined) return known;
      const answer = table.find(address) === true;
      asked.set(address, answer);
      return answer;
    },
    overlaps(network) {
      refresh();
      return all.some((shared) => overlap(shared, network));
    },
  };
}

function overlap(one: Network, other: Network): boolean {
  if (one.bits !== other.bits) return false;
  const prefix = Math.min(one.prefix, other.prefix);
  return one.key >> BigInt(one.prefix - prefix) === other.key >> BigInt(other.prefix - prefix);
}
