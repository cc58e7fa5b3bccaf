/**
 * Mail infrastructure that many organisations send from: whoever is a customer there comes from the
 * same addresses, so an address proves nothing. A server there signs in instead. The lists are short
 * on purpose: what the providers publish for their outgoing mail.
 */
import { type Network, parseNetworks } from './network-table.ts';

const NAMES = ['protection.outlook.com', 'outlook.com', 'office365.com', 'google.com', 'googlemail.com', 'gmail.com'];

/** Exchange Online (learn.microsoft.com, "Microsoft 365 URLs and IP address ranges") and Google (_spf.google.com). */
const NETWORKS = [
  '40.92.0.0/15',
  '40.107.0.0/16',
  '52.100.0.0/14',
  '104.47.0.0/17',
  '2a01:111:f400::/48',
  '2a01:111:f403::/48',
  '35.190.247.0/24',
  '64.233.160.0/19',
  '66.102.0.0/20',
  '66.249.80.0/20',
  '72.14.192.0/18',
  '74.125.0.0/16',
  '108.177.8.0/21',
  '173.194.0.0/16',
  '209.85.128.0/17',
  '216.58.192.0/19',
  '216.239.32.0/19',
  '2001:4860:4000::/36',
  '2404:6800:4000::/36',
  '2607:f8b0:4000::/36',
  '2a00:1450:4000::/36',
].flatMap((network) => parseNetworks(network)!);

export function isSharedHost(host: string): boolean {
  return NAMES.some((name) => host === name || host.endsWith(`.${name}`));
}

/** Whether any address of it is shared. */
export function isSharedNetwork(network: Network): boolean {
  return NETWORKS.some((shared) => {
    if (shared.bits !== network.bits) return false;
    const prefix = Math.min(shared.prefix, network.prefix);
    return shared.key >> BigInt(shared.prefix - prefix) === network.key >> BigInt(network.prefix - prefix);
  });
}
