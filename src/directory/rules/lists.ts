/**
 * Allow and block lists in memory: one map lookup for each kind and owner, so that a list of 100,000
 * costs a sender what a list of ten does.
 *
 * Precedence: personal before domain before global; on one level a block counts before an allow. An address allows
 * only if it is proven (SPF or DKIM), a host only by a name that resolves to the client; a block needs neither.
 */
import { parseNetworks } from '../../protocol/network/network.ts';
import { createNetworkTable, type NetworkTable } from '../../protocol/network/table.ts';
import { hasWildcards } from './pattern.ts';
import type { ListEntryRow, ListKind, ListName } from './schema.ts';
import { createPatternTable, type PatternTable } from './wildcards.ts';

/** The result of a list for a sender: the entry that counts. */
export interface Listing {
  readonly list: ListName;
  readonly kind: ListKind;
  readonly owner: string;
  readonly value: string;
}

export interface ObservedAddress {
  /** `local@domain`, from addressKey. */
  readonly key: string;
  readonly domain: string;
  /** SPF or DKIM proves it. */
  readonly proven: boolean;
}

export interface ObservedSender {
  readonly client: string;
  /** Names of the client that resolve to its address. */
  readonly names: readonly string[];
  /** From the client: enough for a block. */
  readonly helo?: string;
  readonly addresses: readonly ObservedAddress[];
}

export interface ListTable {
  readonly isEmpty: boolean;
  /** Names of the client are needed to decide. */
  readonly hasHosts: boolean;
  /** The entry that counts for these owners, the nearest first. `now`: expired entries do not count. */
  listing(owners: readonly string[], seen: ObservedSender, now: number): Listing | undefined;
}

interface Entry extends Listing {
  readonly expiresAt: number;
}

interface Names {
  readonly exact: Map<string, Entry>;
  /** By the parent of `*.parent`. */
  readonly below: Map<string, Entry>;
  readonly open: PatternTable<Entry>;
}

interface Matcher {
  readonly addresses: Map<string, Entry>;
  /** `*@domain` and `*@*.domain`; `open`: every other pattern, whose domain may be anything. */
  readonly domains: Names;
  /** Patterns within one domain. */
  readonly within: Map<string, PatternTable<Entry>>;
  readonly hosts: Names;
  readonly networks: NetworkTable<Entry>;
}

type Owned = Record<ListName, Matcher | undefined>;

export function listTable(rows: readonly ListEntryRow[]): ListTable {
  const owners = new Map<string, Owned>();
  let hasHosts = false;
  for (const row of rows) {
    const owned = owners.get(row.owner) ?? { allow: undefined, block: undefined };
    owners.set(row.owner, owned);
    const matcher = owned[row.list] ?? emptyMatcher();
    owned[row.list] = matcher;
    add(matcher, row);
    hasHosts ||= row.kind === 'host';
  }
  return {
    isEmpty: owners.size === 0,
    hasHosts,
    listing(names, seen, now) {
      for (const name of names) {
        const owned = owners.get(name);
        if (!owned) continue;
        const found =
          (owned.block && find(owned.block, seen, now, false)) ?? (owned.allow && find(owned.allow, seen, now, true));
        if (found) return { list: found.list, kind: found.kind, owner: found.owner, value: found.value };
      }
      return undefined;
    },
  };
}

function emptyNames(): Names {
  return { exact: new Map(), below: new Map(), open: createPatternTable() };
}

function emptyMatcher(): Matcher {
  return {
    addresses: new Map(),
    domains: emptyNames(),
    within: new Map(),
    hosts: emptyNames(),
    networks: createNetworkTable(),
  };
}

function add(matcher: Matcher, { list, kind, owner, value, expires_at }: ListEntryRow): void {
  const entry = { list, kind, owner, value, expiresAt: expires_at ?? Number.POSITIVE_INFINITY };
  if (kind === 'ip') for (const network of parseNetworks(value) ?? []) matcher.networks.add(network, entry);
  else if (kind === 'host') addName(matcher.hosts, value, entry);
  else addAddress(matcher, value, entry);
}

function addName(names: Names, value: string, entry: Entry): void {
  if (!hasWildcards(value)) names.exact.set(value, entry);
  else if (value.startsWith('*.') && !hasWildcards(value.slice(2))) names.below.set(value.slice(2), entry);
  else names.open.add(value, entry);
}

function addAddress(matcher: Matcher, value: string, entry: Entry): void {
  const at = value.lastIndexOf('@');
  const [local, domain] = [value.slice(0, at), value.slice(at + 1)];
  if (!hasWildcards(value)) matcher.addresses.set(value, entry);
  else if (local === '*' && (!hasWildcards(domain) || (domain.startsWith('*.') && !hasWildcards(domain.slice(2)))))
    addName(matcher.domains, domain, entry);
  else if (hasWildcards(domain)) matcher.domains.open.add(value, entry);
  else {
    const within = matcher.within.get(domain) ?? createPatternTable();
    matcher.within.set(domain, within);
    within.add(value, entry);
  }
}

function find(matcher: Matcher, seen: ObservedSender, now: number, provenOnly: boolean): Entry | undefined {
  const live = (entry: Entry | undefined): Entry | undefined => (entry && entry.expiresAt > now ? entry : undefined);
  const network = live(matcher.networks.find(seen.client));
  if (network) return network;
  for (const name of seen.names) {
    const host = live(findName(matcher.hosts, name, name, now));
    if (host) return host;
  }
  if (!provenOnly && seen.helo !== undefined) {
    const host = live(findName(matcher.hosts, seen.helo, seen.helo, now));
    if (host) return host;
  }
  for (const { key, domain, proven } of seen.addresses) {
    if (provenOnly && !proven) continue;
    const address = live(matcher.addresses.get(key)) ?? withinDomain(matcher, key, domain, now);
    const found = address ?? live(findName(matcher.domains, domain, key, now));
    if (found) return found;
  }
  return undefined;
}

function withinDomain({ within }: Matcher, key: string, domain: string, now: number): Entry | undefined {
  return within.get(domain)?.find(key, ({ expiresAt }) => expiresAt > now);
}

/** `whole`: the text that patterns without a literal domain are compared with. */
function findName({ exact, below, open }: Names, name: string, whole: string, now: number): Entry | undefined {
  const found = exact.get(name);
  if (found && found.expiresAt > now) return found;
  if (below.size > 0)
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const parent = below.get(name.slice(dot + 1));
      if (parent && parent.expiresAt > now) return parent;
    }
  return open.size === 0 ? undefined : open.find(whole, ({ expiresAt }) => expiresAt > now);
}
