/**
 * What a recipient is: an account, an alias and its targets, a role, unknown, or remote.
 *
 * An account or alias of exactly that name comes first, then the mailbox that a sub-address belongs to, then the
 * roles that every domain has (RFC 5321 4.5.1, RFC 2142 4). Addresses that ask for a further hop are remote, even in
 * a local domain.
 */
import { type Address, addressKey, isRole } from '../../model/address.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import { looksLikeRelay, makeAddress, parseAddress } from '../../protocol/smtp/address.ts';
import type { Settings } from '../../settings/contract.ts';
import { canonicalAddress } from '../../wire/network.ts';
import type { Domain, Resolution } from '../contract.ts';
import { ALIAS_DEPTH, ALIAS_TARGETS } from '../limits.ts';
import type { MailServers } from '../servers/mail-servers.ts';
import { directorySettings } from '../settings.ts';
import { signingSettings } from '../signing-keys/settings.ts';
import { type SrsKeys, srsTarget } from '../signing-keys/srs-keys.ts';
import type { Entry, Lookup } from './lookup.ts';
import { reportTarget } from './report-addresses.ts';

const REMOTE: Resolution = { kind: 'remote' };
const UNKNOWN_USER: Resolution = { kind: 'unknown-user' };
const DISABLED: Resolution = { kind: 'disabled' };

/** The names of this node. */
export interface OwnHost {
  readonly hostname: string;
  addresses(): readonly string[];
}

export interface ResolveServices {
  readonly lookup: Lookup;
  readonly mailServers: MailServers;
  readonly settings: Settings;
  /** Absent: mail is never forwarded under an address of ours. */
  readonly srs?: Pick<SrsKeys, 'reverse'>;
  /** Absent: the node itself has no postmaster. */
  readonly ownHost?: OwnHost;
}

export function createResolve({ lookup, mailServers, settings, srs, ownHost }: ResolveServices) {
  /** The entry of an address: its own, else that of the mailbox of which it is a sub-address. */
  function entryOf(address: Address): MaybePromise<Entry> {
    const own = lookup.entry(addressKey(address));
    return isPromise(own) ? own.then((entry) => orBase(address, entry)) : orBase(address, own);
  }

  function orBase(address: Address, entry: Entry): MaybePromise<Entry> {
    if (entry.kind !== 'nothing') return entry;
    const { local, domain } = address;
    const separator = settings.current().get(directorySettings.subaddressSeparator, { domain });
    const at = separator === '' ? -1 : local.indexOf(separator);
    return at > 0 ? lookup.entry(`${local.slice(0, at).toLowerCase()}@${domain}`) : entry;
  }

  function administrators(): Resolution {
    const targets: Address[] = [];
    for (const text of settings.current().get(directorySettings.administrators)) {
      const address = parseAddress(text);
      if (address.ok) targets.push(address.value);
    }
    if (targets.length > 0) return { kind: 'role', targets };
    return { kind: 'cannot-tell', reason: 'the setting directory.administrators names nobody' };
  }

  /**
   * RFC 5321 4.5.1: the bare <postmaster> always exists; if no administrator is set, the oldest domain's postmaster
   * gets its mail.
   */
  function nodesOwn(address: Address): MaybePromise<Resolution> {
    const named = administrators();
    if (named.kind === 'role') return { ...named, domain: named.targets[0]!.domain };
    return andThen(lookup.firstDomain(), (domain) =>
      domain ? andThen(local(makeAddress(address.local, domain.name), domain), ofDomain(domain.name)) : named,
    );
  }

  /**
   * Operators of other servers write to the postmaster of the host that they connected to (RFC 1123 5.2.17: or of its
   * address).
   */
  function isOfNode(address: Address): boolean {
    if (!ownHost || !isRole(address)) return false;
    const literal = /^\[(?:ipv6:)?(.+)\]$/i.exec(address.domain)?.[1];
    if (literal === undefined) return address.domain === ownHost.hostname.toLowerCase();
    const ours = ownHost.addresses().map(canonicalAddress);
    return ours.includes(canonicalAddress(literal));
  }

  function local(address: Address, domain: Domain | undefined): MaybePromise<Resolution> {
    if (!domain?.enabled) return returned(address) ?? (isOfNode(address) ? nodesOwn(address) : REMOTE);
    const target = reportTarget(address, settings.current());
    if (target) return { kind: 'local', targets: [target], viaAlias: false };
    const entry = entryOf(address);
    return isPromise(entry) ? entry.then((value) => byEntry(address, value)) : byEntry(address, entry);
  }

  function byEntry(address: Address, entry: Entry): MaybePromise<Resolution> {
    switch (entry.kind) {
      case 'account':
        // Frozen accounts receive, disabled ones do not.
        // RFC 5321 4.5.1: postmaster exists all the same.
        if (entry.account.state === 'disabled') return isRole(address) ? role(address) : DISABLED;
        return { kind: 'local', account: entry.account, targets: [address], viaAlias: false };
      case 'alias':
        return expand(address, entry.targets);
      case 'nothing':
        if (isRole(address)) return role(address);
        return (srs && srsTarget(srs, address)) ?? UNKNOWN_USER;
    }
  }

  /** A bounce to a rewritten sender, if these have a domain of their own. */
  function returned(address: Address): Resolution | undefined {
    const domain = settings.current().get(signingSettings.srsDomain);
    return srs && domain !== '' && address.domain === domain.toLowerCase() ? srsTarget(srs, address) : undefined;
  }

  function role(address: Address): MaybePromise<Resolution> {
    return andThen(mailServers.table(), (table) =>
      table.of(address.domain).length > 0 ? { kind: 'role', targets: [address] } : administrators(),
    );
  }

  /** Level by level; a repeated target ends a loop, a dead one is left out. */
  async function expand(alias: Address, first: readonly Address[]): Promise<Resolution> {
    const met = new Set([addressKey(alias)]);
    const targets: Address[] = [];
    let isDisabled = false;
    let level = first;
    for (let depth = 0; level.length > 0; depth++) {
      if (depth === ALIAS_DEPTH) return tooMuch(alias, `leads through more than ${ALIAS_DEPTH} aliases`);
      const next: Address[] = [];
      for (const target of level) {
        if (met.has(addressKey(target))) continue;
        met.add(addressKey(target));
        if (met.size > ALIAS_TARGETS) return tooMuch(alias, `leads to more than ${ALIAS_TARGETS} addresses`);
        const found = await follow(target);
        if (found === 'final') targets.push(target);
        else if (found === 'disabled') isDisabled = true;
        else next.push(...found);
      }
      level = next;
    }
    return targets.length > 0 ? { kind: 'local', targets, viaAlias: true } : isDisabled ? DISABLED : UNKNOWN_USER;
  }

  /** What a target leads to: itself, further targets, or nothing. */
  async function follow(target: Address): Promise<'final' | 'disabled' | readonly Address[]> {
    const domain = await lookup.domain(target.domain);
    if (!domain) return 'final';
    if (!domain.enabled) return [];
    const entry = await entryOf(target);
    if (entry.kind === 'alias') return entry.targets;
    if (entry.kind === 'account') return entry.account.state === 'disabled' ? 'disabled' : 'final';
    if (!isRole(target)) return [];
    const resolution = await role(target);
    return resolution.kind === 'role' ? resolution.targets : [];
  }

  return (address: Address): MaybePromise<Resolution> => {
    if (address.domain === '') return nodesOwn(address);
    if (looksLikeRelay(address)) return REMOTE;
    const domain = lookup.domain(address.domain);
    return isPromise(domain) ? domain.then((value) => local(address, value)) : local(address, domain);
  };
}

function ofDomain(domain: string): (resolution: Resolution) => Resolution {
  return (resolution) =>
    resolution.kind === 'local' || resolution.kind === 'role' ? { ...resolution, domain } : resolution;
}

function tooMuch(alias: Address, what: string): Resolution {
  return { kind: 'cannot-tell', reason: `the alias ${alias.text} ${what}` };
}
