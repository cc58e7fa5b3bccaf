/**
 * The operator's lists and pairs for a sender and one recipient: evaluated at RCPT, and again with the header. Costs
 * nothing while there are neither entries nor pairs.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ListTable, ObservedAddress, ObservedSender } from '../../directory/rules/lists.ts';
import { addressKey } from '../../model/address.ts';
import type { Evidence } from '../../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { Author, HeaderFacts } from '../../protocol/mime/types.ts';
import { heloIdentity } from '../../protocol/smtp/domain.ts';
import type { DkimEvidence, NotMade, SpfEvidence } from '../checks/origin/types.ts';
import { confirmPtr } from '../checks/reverse-lookup/reverse.ts';
import type { CountingEntry, RecipientContext } from '../engine/check.ts';
import type { ScreenedTransaction, SharedServices } from '../session/session.ts';
import { type Granted, NOTHING_GRANTED, withGrants } from './grants.ts';
import { orCannotTell, type Sender, shieldingFor } from './recipient-context.ts';
import type { Shielding } from './shielding.ts';

/** The facts that a list may use, beyond the session. */
export interface Origin {
  readonly spf?: Evidence | undefined;
  /** Only with the header. */
  readonly dkim?: Evidence | undefined;
  readonly header?: HeaderFacts;
}

/** Whether an address of a domain is proven to be the sender's. */
type Proof = (domain: string) => boolean;

type Shield = NonNullable<Granted['shield']>;

const NO_NAMES: readonly string[] = Object.freeze([]);
const ANYBODY: Proof = () => true;
const NOBODY: Proof = () => false;

/**
 * `account`: the owner of the personal list that counts; empty if there is none. Never throws for errors of the
 * database.
 */
export function exemptionsOf(
  services: SharedServices,
  transaction: ScreenedTransaction,
  sender: Sender,
  context: RecipientContext,
  account: string,
  origin: Origin,
): MaybePromise<RecipientContext> {
  const byLists = (shield: Shield | undefined): MaybePromise<Granted> =>
    andThen(listsOf(services), (table): MaybePromise<Granted> => {
      const untold: Granted = { ...grantedBy(shield), isUntold: true };
      if (table === 'untold') return untold;
      if (!table) return grantedBy(shield);
      return orCannotTell(untold, () =>
        andThen(namesOf(services, transaction, table), (names) => {
          const entry = (proof: Proof) =>
            entryFor(services, transaction, table, context, account, origin, names, proof);
          return withEntries(shield, entry(provenBy(origin)), entry(ANYBODY));
        }),
      );
    });
  const grant = (granted: Granted): RecipientContext =>
    withGrants(context, granted, transaction.facts.client.address, transaction.rules);
  if (!shieldBy([sender.shield])) return andThen(byLists(undefined), grant);
  const shield = orCannotTell(undefined, () => shieldOf(sender.shield, transaction, origin));
  return andThen(andThen(shield, byLists), grant);
}

/**
 * The same without look-ups: undefined if it depends on SPF or on the client's names. At RCPT, so for the envelope
 * alone.
 */
export function exemptionsUnasked(
  services: SharedServices,
  transaction: ScreenedTransaction,
  sender: Sender,
  context: RecipientContext,
  account: string,
): MaybePromise<RecipientContext | undefined> {
  const shield = shieldBy([sender.shield]);
  const { rules, facts } = transaction;
  const grant = (granted: Granted): RecipientContext => withGrants(context, granted, facts.client.address, rules);
  return andThen(listsOf(services), (table) => {
    if (!table) return grant(grantedBy(shield));
    if (table === 'untold' || table.hasHosts) return undefined;
    const entry = (proof: Proof) => entryFor(services, transaction, table, context, account, {}, NO_NAMES, proof);
    const [unproven, proven] = [entry(NOBODY), entry(ANYBODY)];
    if (isDeepStrictEqual(unproven, proven)) return grant(withEntries(shield, proven, proven));
    if (rules.provenAddresses) return undefined;
    return grant({ ...withEntries(shield, unproven, proven), isUnasked: true });
  });
}

function grantedBy(shield: Shield | undefined): Granted {
  return shield === undefined ? NOTHING_GRANTED : GRANTED[shield];
}

const GRANTED: Readonly<Record<Shield, Granted>> = {
  entered: Object.freeze({ shield: 'entered' }),
  presets: Object.freeze({ shield: 'presets' }),
};

/** `proven`: the entry that counts if addresses must be proven; `any`: if they need not be. */
function withEntries(
  shield: Shield | undefined,
  proven: CountingEntry | undefined,
  any: CountingEntry | undefined,
): Granted {
  const granted = grantedBy(shield);
  if (!proven && !any) return granted;
  const isOther = proven !== any && !isDeepStrictEqual(proven, any);
  return { ...granted, ...(proven && { listing: proven }), ...(isOther && { unprovenListing: any ?? null }) };
}

/** Undefined if they have no entry. */
export function listsOf({ senderRules }: SharedServices): MaybePromise<ListTable | 'untold' | undefined> {
  const table = orCannotTell<ListTable | 'untold'>('untold', senderRules.lists);
  return isPromise(table) ? table.then(unlessEmpty) : unlessEmpty(table);
}

function unlessEmpty(table: ListTable | 'untold'): ListTable | 'untold' | undefined {
  return table !== 'untold' && table.isEmpty ? undefined : table;
}

/** The pairs that cover the domain in MAIL and different domains in From, or presets for one of them. */
function shieldOf(
  shielding: Shielding,
  { reversePath, facts, sources }: ScreenedTransaction,
  { header }: Origin,
): MaybePromise<Shield | undefined> {
  const shield = shieldBy([shielding]);
  if (!shield) return undefined;
  // An unclear author may be of any domain; `From: root` is of none.
  if (header?.author.unclear) return undefined;
  const others = header ? header.author.domains.filter((domain) => domain !== reversePath?.domain) : [];
  if (others.length === 0) return shield;
  const answers = Promise.all(others.map((domain) => shieldingFor(sources, facts, domain)));
  return answers.then((all) => shieldBy([shielding, ...all]));
}

function shieldBy(all: readonly Shielding[]): Shield | undefined {
  if (all.every(({ pairs }) => pairs === 'entered')) return 'entered';
  return all.every(({ pairs, presets }) => pairs === 'entered' || presets) ? 'presets' : undefined;
}

/** The entry that counts, if `proof` decides which addresses are proven. */
function entryFor(
  { clock }: SharedServices,
  { facts, reversePath }: ScreenedTransaction,
  table: ListTable,
  context: RecipientContext,
  account: string,
  origin: Origin,
  names: readonly string[],
  proof: Proof,
): CountingEntry | undefined {
  const owners = account === '' ? [context.policyDomain, ''] : [account, context.policyDomain, ''];
  const envelope: ObservedAddress[] = [];
  if (reversePath) {
    const { domain } = reversePath;
    envelope.push({ key: addressKey(reversePath), domain, proven: proof(domain) });
  }
  const seen: ObservedSender = {
    client: facts.client.address,
    names,
    helo: facts.helo === undefined ? undefined : heloIdentity(facts.helo),
    addresses: envelope,
  };
  const first = table.listing(owners, seen, clock.now());
  if (!origin.header || first?.list === 'block') return first && { ...first, met: 'envelope' };
  const authors = seenAuthors(origin.header.author, proof);
  const all = table.listing(owners, { ...seen, addresses: [...envelope, ...authors] }, clock.now());
  const met = all && first?.value === all.value && first.list === all.list ? 'envelope' : 'header';
  return all && { ...all, met };
}

/**
 * A name counts if it resolves to the client's address; looked up once a transaction, and only if a list has hosts.
 */
function namesOf(
  { resolver }: SharedServices,
  transaction: ScreenedTransaction,
  { hasHosts }: ListTable,
): MaybePromise<readonly string[]> {
  if (!hasHosts) return NO_NAMES;
  transaction.names ??= confirmPtr(resolver, transaction.facts.client.address).then(({ result, names }) =>
    result === 'confirmed' ? names : NO_NAMES,
  );
  return transaction.names;
}

/** Whether SPF, or a signature of the domain or of one above it, proves an address of it. */
function provenBy({ spf, dkim }: Origin): Proof {
  const passed = spf as SpfEvidence | NotMade | undefined;
  const byPath =
    passed?.made && passed.mail.scope === 'mfrom' && passed.mail.result === 'pass' ? passed.mail.domain : '';
  const signed = dkim as DkimEvidence | NotMade | undefined;
  const signers = signed?.made ? signed.signatures.filter(({ result }) => result === 'pass') : [];
  return (domain) =>
    (byPath !== '' && domain === byPath) ||
    signers.some((signer) => domain === signer.domain || domain.endsWith(`.${signer.domain}`));
}

/**
 * Any of them is enough for a block. For an allow all must be proven: a friend named beside a forged author must not
 * exempt the message from DMARC.
 */
function seenAuthors({ addresses, domains, unclear }: Author, proof: (domain: string) => boolean): ObservedAddress[] {
  const proven = !unclear && domains.every(proof);
  return addresses.map(({ local, domain }) => ({ key: `${local.toLowerCase()}@${domain}`, domain, proven }));
}
