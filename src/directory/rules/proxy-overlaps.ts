/**
 * Addresses that may name their client (`trustedProxies`) and are trusted themselves: as a domain mail server, a
 * trusted relay, on an allow list or by a pair of IP shielding. If such a proxy forwards a connection without naming
 * its client, it counts as coming from a trusted address, whichever client it is.
 *
 * Changes nothing. Errors: those of the database. A host name that does not resolve overlaps nothing.
 */
import { type Network, parseNetworks } from '../../protocol/network/network.ts';
import type { Database } from '../../store/contract.ts';
import type { ResolveHost } from '../../world/hosts-file.ts';
import type { DomainMailServer } from '../contract.ts';
import type { ListEntryRow, ShieldRow } from './schema.ts';
import { ruleStatements } from './statements.ts';

/** `trust`: the rule that trusts it, in the administrator's terms. */
export interface ProxyOverlap {
  readonly proxy: string;
  readonly trust: string;
}

export interface ProxyTrust {
  readonly database: Database;
  readonly resolveHost: ResolveHost;
  readonly servers: readonly DomainMailServer[];
  readonly shieldPairs: readonly ShieldRow[];
  readonly trustedRelays: readonly string[];
}

const PAGE = 5_000;

/** The first `most` of them. Costs nothing if there is no trusted proxy. */
export async function findProxyOverlaps(
  trustedProxies: readonly string[],
  trust: ProxyTrust,
  most: number,
): Promise<readonly ProxyOverlap[]> {
  const proxies = trustedProxies.flatMap((text) =>
    (parseNetworks(text) ?? []).map((network) => ({ text: text.trim(), network })),
  );
  const found: ProxyOverlap[] = [];
  if (proxies.length === 0) return found;
  const compare = (value: string, what: string): void => {
    for (const network of parseNetworks(value) ?? [])
      for (const proxy of proxies) {
        if (found.length === most) return;
        if (overlap(proxy.network, network)) found.push({ proxy: proxy.text, trust: what });
      }
  };
  for (const server of trust.servers) {
    for (const network of server.sendsFrom ?? []) compare(network, `domain mail server ${server.host} (${network})`);
    for (const address of await addressesOf(server, trust)) compare(address, `domain mail server ${server.host}`);
  }
  for (const relay of trust.trustedRelays) compare(relay, `authentication.trustedRelays: ${relay}`);
  for (const { domain, network } of trust.shieldPairs) compare(network, `IP shielding: ${domain} from ${network}`);
  for await (const { value, owner } of allowedNetworks(trust.database))
    compare(value, owner === '' ? `the allow list: ${value}` : `the allow list of ${owner}: ${value}`);
  return found;
}

/** One lies within the other, or they are equal. */
function overlap(one: Network, other: Network): boolean {
  if (one.bits !== other.bits) return false;
  const common = Math.min(one.prefix, other.prefix);
  return one.key >> BigInt(one.prefix - common) === other.key >> BigInt(other.prefix - common);
}

async function addressesOf({ host }: DomainMailServer, { resolveHost }: ProxyTrust): Promise<readonly string[]> {
  if (parseNetworks(host)) return [host];
  const answer = await resolveHost(host, { hostsFile: true });
  return answer.kind === 'found' ? answer.addresses : [];
}

async function* allowedNetworks(db: Database): AsyncGenerator<ListEntryRow> {
  const page = ruleStatements(db.dialect).page('allow', undefined);
  let after = { list: '', owner: '', kind: '', value: '' };
  for (;;) {
    const rows = (await db.read(page({ ...after, limit: PAGE }))) as unknown as readonly ListEntryRow[];
    yield* rows.filter(({ kind }) => kind === 'ip');
    if (rows.length < PAGE) return;
    after = rows.at(-1)!;
  }
}
