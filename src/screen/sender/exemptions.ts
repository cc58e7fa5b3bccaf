/**
 * What the operator's lists and pairs say of a sender to one recipient: asked at RCPT with what is
 * known then, and again with the header. Costs nothing while there are neither entries nor pairs.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ListTable, ObservedAddress, ObservedSender } from '../../directory/rules/lists.ts';
import type { ShieldVerdict } from '../../directory/rules/shields.ts';
import { addressKey } from '../../model/address.ts';
import type { Evidence } from '../../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { Author, HeaderFacts } from '../../protocol/mime/types.ts';
import { heloIdentity } from '../../protocol/smtp/domain.ts';
import type { DkimEvidence, NotMade, SpfEvidence } from '../checks/origin/types.ts';
import { confirmPtr } from '../checks/reverse-lookup/reverse.ts';
import type { GrantedExemption, RecipientContext } from '../engine/check.ts';
import type { ScreenedTransaction, SharedServices } from '../session/session.ts';
import { listSettings } from '../settings.ts';
import { orCannotTell, type Sender, shieldVerdict } from './recipient-context.ts';

/** What a list may go by, beyond the session. */
export interface Origin {
  readonly spf?: Evidence | undefined;
  /** With the header only. */
  readonly dkim?: Evidence | undefined;
  readonly header?: HeaderFacts;
}

/** Whether an address of a domain is proven to be the sender's. */
type Proof = (domain: string) => boolean;

type Shield = Extract<GrantedExemption, 'ipShield' | 'ipShieldPreset'>;

const NO_NAMES: readonly string[] = Object.freeze([]);

/** `account`: whose personal list counts; empty where there is none. Never throws for what the database cannot say. */
export function exemptionsOf(
  services: SharedServices,
  transaction: ScreenedTransaction,
  sender: Sender,
  context: RecipientContext,
  account: string,
  origin: Origin,
): MaybePromise<RecipientContext> {
  const untold = (shield: Shield | undefined): RecipientContext => ({
    ...withListed(context, shield),
    listsUntold: true,
  });
  const byLists = (shield: Shield | undefined): MaybePromise<RecipientContext> =>
    andThen(listsOf(services), (table) => {
      if (table === 'untold') return untold(shield);
      if (!table) return withListed(context, shield);
      return orCannotTell(untold(shield), () =>
        andThen(namesOf(services, transaction, table), (names) =>
          listed(services, transaction, table, context, account, origin, names, shield),
        ),
      );
    });
  if (!shieldBy([sender.shield])) return byLists(undefined);
  return andThen(
    orCannotTell(undefined, () => shieldOf(sender.shield, transaction, origin)),
    byLists,
  );
}

/**
 * The same without asking anybody: undefined where it depends on SPF or on the client's names. At RCPT,
 * so of the envelope alone.
 */
export function exemptionsUnasked(
  services: SharedServices,
  transaction: ScreenedTransaction,
  sender: Sender,
  context: RecipientContext,
  account: string,
): MaybePromise<RecipientContext | undefined> {
  const shield = shieldBy([sender.shield]);
  return andThen(listsOf(services), (table) => {
    if (!table) return withListed(context, shield);
    if (table === 'untold' || table.hasHosts) return undefined;
    const say = (proof: Proof): RecipientContext =>
      listed(services, transaction, table, context, account, {}, NO_NAMES, shield, proof);
    const [unproven, proven] = [say(() => false), say(() => true)];
    return isDeepStrictEqual(unproven, proven) ? proven : undefined;
  });
}

/** Undefined where they have no entry. */
export function listsOf({ senderRules }: SharedServices): MaybePromise<ListTable | 'untold' | undefined> {
  const table = orCannotTell<ListTable | 'untold'>('untold', senderRules.lists);
  return isPromise(table) ? table.then(unlessEmpty) : unlessEmpty(table);
}

function unlessEmpty(table: ListTable | 'untold'): ListTable | 'untold' | undefined {
  return table !== 'untold' && table.isEmpty ? undefined : table;
}

/** What stands behind the domain in MAIL and those in From where they are another's: pairs, or a preset for one of them. */
function shieldOf(
  verdict: ShieldVerdict,
  { reversePath, facts, sources }: ScreenedTransaction,
  { header }: Origin,
): MaybePromise<Shield | undefined> {
  const shield = shieldBy([verdict]);
  if (!shield) return undefined;
  // An author that cannot be told may be of any domain; `From: root` is of none.
  if (header?.author.unclear) return undefined;
  const others = header ? header.author.domains.filter((domain) => domain !== reversePath?.domain) : [];
  if (others.length === 0) return shield;
  const answers = Promise.all(others.map((domain) => shieldVerdict(sources, facts, domain)));
  return answers.then((verdicts) => shieldBy([verdict, ...verdicts]));
}

function shieldBy(verdicts: readonly ShieldVerdict[]): Shield | undefined {
  if (verdicts.every((verdict) => verdict === 'entered')) return 'ipShield';
  return verdicts.every((verdict) => verdict === 'entered' || verdict === 'preset') ? 'ipShieldPreset' : undefined;
}

function listed(
  { settings, clock }: SharedServices,
  { facts, reversePath }: ScreenedTransaction,
  table: ListTable,
  context: RecipientContext,
  account: string,
  origin: Origin,
  names: readonly string[],
  shield: Shield | undefined,
  proven: Proof = provenBy(origin),
): RecipientContext {
  const owners = account === '' ? [context.policyDomain, ''] : [account, context.policyDomain, ''];
  const proof = settings.current().get(listSettings.provenAddresses) ? proven : () => true;
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
  if (!origin.header || first?.list === 'block')
    return withListed(context, shield, first && { ...first, met: 'envelope' });
  const authors = seenAuthors(origin.header.author, proof);
  const all = table.listing(owners, { ...seen, addresses: [...envelope, ...authors] }, clock.now());
  const met = all && first?.value === all.value && first.list === all.list ? 'envelope' : 'header';
  return withListed(context, shield, all && { ...all, met });
}

function withListed(
  context: RecipientContext,
  shield: Shield | undefined,
  listing?: RecipientContext['listing'],
): RecipientContext {
  if (!shield && !listing && !context.listed && !context.listing && !context.listsUntold) return context;
  const { listed: _, listing: __, listsUntold: ___, ...rest } = context;
  if (!shield && !listing) return rest;
  const exempt: GrantedExemption[] = [];
  if (listing?.list === 'allow') exempt.push('allowListed');
  if (shield) exempt.push(shield);
  return { ...rest, ...(exempt.length > 0 && { listed: exempt }), ...(listing && { listing }) };
}

/** A name counts where it has the client's address again; asked once a transaction, and only where a list has hosts. */
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

/** Whether SPF, or a signature of the domain or of one above it, stands behind an address of it. */
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
 * Any of them is enough for a block. For an allow all must be proven: a friend named beside a forged author
 * must not exempt the message from DMARC.
 */
function seenAuthors({ addresses, domains, unclear }: Author, proof: (domain: string) => boolean): ObservedAddress[] {
  const proven = !unclear && domains.every(proof);
  return addresses.map(({ local, domain }) => ({ key: `${local.toLowerCase()}@${domain}`, domain, proven }));
}
