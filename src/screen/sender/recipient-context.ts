/**
 * The kinds of sender and recipient (architecture, section 3): whether the sender is trusted, and the direction of
 * the message for each recipient. No claim within a message gives trust: trust comes from AUTH, from the address of a
 * domain mail server of the sender's domain, or from a pair of IP shielding that an operator entered.
 */

import type { Directory, Domain, Resolution } from '../../directory/contract.ts';
import type { SenderRules } from '../../directory/rules/rules.ts';
import type { ShieldTable } from '../../directory/rules/shields.ts';
import type { ThreeAnswers } from '../../directory/servers/host-addresses.ts';
import { type Address, isRole, type ReversePath } from '../../model/address.ts';
import { isOperational } from '../../model/errors.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { SessionFacts } from '../../model/session.ts';
import { siteOf } from '../../wire/network.ts';
import type { RecipientContext, SenderKind } from '../engine/check.ts';
import { type Pending, senderByClaim } from './claims.ts';
import type { Hidden } from './nat.ts';
import { NOT_SHIELDED, type PairVerdict, type Shielding, shieldingOf } from './shielding.ts';

/**
 * The finding of checks that depend on the sender's servers, while the DNS does not answer whether the client is one.
 */
export const SERVER_UNTOLD = {
  code: 'cannot-tell',
  outcome: 'error',
  action: 'defer',
  reply: {
    code: 451,
    enhanced: '4.4.3',
    text: 'cannot tell now whether your server may send for this domain, try again later',
  },
} as const;

export interface Sender {
  readonly kind: SenderKind;
  /** The domain whose settings apply to outbound mail; empty if there is none. */
  readonly domain: string;
  /** The reverse-path is of a local domain. */
  readonly isLocal: boolean;
  /** The verdict of IP shielding on the domain in MAIL. */
  readonly shield: Shielding;
  /** Provisional: the header decides. */
  readonly pending?: Pending;
  /** It has a server's address, but the header has no mark of the tenant. */
  readonly unmarked?: true;
}

export interface SenderSources {
  readonly directory: Directory;
  readonly senderRules: SenderRules;
  /** The client's address is shared by many. */
  readonly hidden: Hidden | undefined;
  /** Domain mail servers may send for remote senders. */
  readonly serversRelay: boolean;
}

const STRANGER: Sender = Object.freeze({ kind: 'stranger', domain: '', isLocal: false, shield: NOT_SHIELDED });

/** Once a transaction. Never throws for errors of the directory. */
export function identifySender(
  sources: SenderSources,
  facts: SessionFacts,
  reversePath: ReversePath,
): MaybePromise<Sender> {
  const domain = reversePath?.domain ?? '';
  const unknown: Sender =
    facts.account === undefined
      ? { kind: 'cannot-tell', domain, isLocal: false, shield: NOT_SHIELDED }
      : { kind: 'authenticated', domain: domainOf(facts.account), isLocal: false, shield: NOT_SHIELDED };
  return orCannotTell(unknown, () =>
    reversePath === null ? nullSender(sources, facts) : senderOf(sources, facts, domain),
  );
}

/** `MAIL FROM:<>` from a domain mail server counts as that server's domain. */
function nullSender({ directory }: SenderSources, facts: SessionFacts): MaybePromise<Sender> {
  const { account } = facts;
  if (account !== undefined) return { ...STRANGER, kind: 'authenticated', domain: domainOf(account) };
  return serverOfAny(directory, facts);
}

/** For any domain of which the client is a server. */
function serverOfAny(directory: Directory, facts: SessionFacts): MaybePromise<Sender> {
  return andThen(directory.mailServerDomains(facts.client.address), (domains) =>
    domains.length > 0 ? serverOf(domains) : senderByClaim(directory, facts, undefined, STRANGER),
  );
}

function serverOf([domain]: readonly string[]): Sender {
  return domain === undefined ? STRANGER : { ...STRANGER, kind: 'domain-server', domain };
}

/** The verdict of IP shielding on a domain. Errors: those of the database. */
export function shieldingFor(sources: SenderSources, facts: SessionFacts, domain: string): MaybePromise<Shielding> {
  return andThen(sources.directory.domain(domain), (found) =>
    andThen(sources.senderRules.shields(), (shields) =>
      shieldingBy(shields, sources, facts, domain, found?.enabled === true),
    ),
  );
}

/** No pair applies to an address that is known to be shared; to one that may be shared, only a pair that names it. */
function shieldingBy(
  shields: ShieldTable,
  { hidden }: SenderSources,
  { client }: SessionFacts,
  domain: string,
  isLocal: boolean,
): Shielding {
  // Without presets they give no verdict.
  const pairs = shields.verdict(domain, isLocal, client.address, undefined, hidden !== undefined) as PairVerdict;
  const isRefuted = hidden && hidden !== 'counted' && pairs !== 'none';
  return shieldingOf(isRefuted ? 'violated' : pairs, isLocal && hidden === undefined);
}

function senderOf(sources: SenderSources, facts: SessionFacts, domain: string): MaybePromise<Sender> {
  const found = sources.directory.domain(domain);
  const shields = sources.senderRules.shields();
  if (!isPromise(found) && !isPromise(shields)) return senderBehind(shields, sources, facts, domain, found);
  return Promise.all([shields, found]).then(([table, known]) => senderBehind(table, sources, facts, domain, known));
}

function senderBehind(
  shields: ShieldTable,
  sources: SenderSources,
  facts: SessionFacts,
  domain: string,
  found: Domain | undefined,
): MaybePromise<Sender> {
  const { directory } = sources;
  const isLocal = found?.enabled === true;
  const shield = shieldingBy(shields, sources, facts, domain, isLocal);
  if (facts.account !== undefined) {
    const own = { kind: 'authenticated', domain: domainOf(facts.account), isLocal, shield } as const;
    return isLocal ? senderByClaim(directory, facts, domain, own) : own;
  }
  const answer = directory.isMailServerOf(domain, facts.client.address);
  return isPromise(answer)
    ? answer.then((known) => senderWith(known, shield, isLocal, sources, facts, domain))
    : senderWith(answer, shield, isLocal, sources, facts, domain);
}

/** `answer`: whether the client is a server of the domain. */
function senderWith(
  answer: ThreeAnswers,
  shield: Shielding,
  isLocal: boolean,
  { directory, serversRelay }: SenderSources,
  facts: SessionFacts,
  domain: string,
): MaybePromise<Sender> {
  if (answer === 'yes') return { kind: 'domain-server', domain, isLocal, shield };
  if (isLocal && shield.pairs === 'entered') return { kind: 'shielded', domain, isLocal, shield };
  if (answer === 'cannot-tell') return { kind: 'cannot-tell', domain, isLocal, shield };
  if (!isLocal && serversRelay) return serverOfAny(directory, facts);
  if (!isLocal) return shield.pairs === 'none' ? STRANGER : { ...STRANGER, shield };
  return senderByClaim(directory, facts, domain, { ...STRANGER, isLocal, shield });
}

/** Once a recipient. Never throws for errors of the directory. */
export function resolveRecipient(directory: Directory, address: Address, client: string): MaybePromise<Resolution> {
  return orCannotTell<Resolution>({ kind: 'cannot-tell', reason: 'the directory cannot be read' }, () =>
    directory.resolve(address, siteOf(client)),
  );
}

/** The owner of the lists that count: the account itself, or the only one that an alias leads to; empty: none. */
export function ownerOf(directory: Directory, resolution: Resolution): MaybePromise<string> {
  if (resolution.kind !== 'local') return '';
  const { account, viaAlias, targets } = resolution;
  const [target, ...others] = targets;
  if (account || !viaAlias || !target || others.length > 0) return account?.address ?? '';
  return orCannotTell('', () =>
    andThen(directory.domain(target.domain), (domain) =>
      // No source is asked about remote addresses.
      domain?.enabled ? andThen(directory.resolve(target), accountIn) : '',
    ),
  );
}

function accountIn(resolution: Resolution): string {
  return (resolution.kind === 'local' && resolution.account?.address) || '';
}

export function isTrusted(kind: SenderKind): boolean {
  return kind === 'authenticated' || kind === 'domain-server' || kind === 'shielded';
}

/** The author for a trusted sender: its account, or `@domain` of its mail server or pair. */
export function authorOf({ kind, domain }: Sender, { account }: SessionFacts): string | undefined {
  if (kind === 'authenticated') return account;
  return isTrusted(kind) ? `@${domain}` : undefined;
}

export function whoIs(address: Address, resolution: Resolution, sender: Sender): RecipientContext {
  const { kind } = sender;
  const role = isRole(address);
  if (resolution.kind === 'remote')
    return { address: address.text, direction: 'outbound', sender: kind, policyDomain: sender.domain, role };
  const account = resolution.kind === 'local' ? resolution.account : undefined;
  const named = resolution.kind === 'local' || resolution.kind === 'role' ? resolution.domain : undefined;
  return {
    address: address.text,
    direction: isTrusted(kind) ? 'internal' : 'inbound',
    sender: kind,
    policyDomain: account?.domain ?? named ?? address.domain,
    role,
  };
}

function domainOf(account: string): string {
  return account.slice(account.lastIndexOf('@') + 1).toLowerCase();
}

/** An unavailable database counts against nobody; a defect is thrown on. */
export function orCannotTell<T>(fallback: T, ask: () => MaybePromise<T>): MaybePromise<T> {
  try {
    const answer = ask();
    return isPromise(answer) ? answer.catch((error) => unlessDefect(error, fallback)) : answer;
  } catch (error) {
    return unlessDefect(error, fallback);
  }
}

function unlessDefect<T>(error: unknown, fallback: T): T {
  if (isOperational(error)) return fallback;
  throw error;
}
