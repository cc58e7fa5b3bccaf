/**
 * The RCPT stage: who the recipient is, and what the checks say of it.
 *
 * The first recipient decides whether anybody is asked: name servers of the sender's choice hear of a
 * transaction only if the checks that ask nobody accept a recipient. Most attacks name none, or one who
 * does not exist, and cost no look-up then. Never refuses so what lists, pairs or SPF could still allow.
 */
import type { Directory, Resolution } from '../../directory/contract.ts';
import type { Recipient } from '../../model/envelope.ts';
import type { Finding } from '../../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { SessionFacts } from '../../model/session.ts';
import { looksLikeRelay } from '../../protocol/smtp/address.ts';
import type { RecipientVerdict } from '../contract.ts';
import type { GrantedExemption, RecipientContext } from '../engine/check.ts';
import { replyOf } from '../engine/decide.ts';
import { copyOf, judge, type Observations, settle, start, startUponRecipient } from '../engine/engine.ts';
import { evidenceOf } from '../engine/observation.ts';
import { exemptionsOf, exemptionsUnasked } from '../sender/exemptions.ts';
import { authorOf, isTrusted, ownerOf, resolveRecipient, type Sender, whoIs } from '../sender/recipient-context.ts';
import type { PendingSender } from './pending.ts';
import { orShort, type Present, refusal, type ScreenedTransaction, type Screening } from './session.ts';

/** For whoever asks for a further hop from outside: no source is asked whether such a user exists. */
const NOT_ASKED: Resolution = Object.freeze({ kind: 'remote' });

const EVERYTHING: readonly GrantedExemption[] = ['allowListed', 'ipShield', 'ipShieldPreset'];

/** Pushes who is accepted to the transaction's recipients. */
export function screenRecipient(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipient: Recipient,
): MaybePromise<RecipientVerdict> {
  const { sender } = transaction;
  return isPromise(sender)
    ? sender.then((known) => resolveFor(screening, transaction, recipient, known))
    : resolveFor(screening, transaction, recipient, sender);
}

function resolveFor(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipient: Recipient,
  sender: Sender,
): MaybePromise<RecipientVerdict> {
  const resolution = resolveUnlessHop(screening.services.directory, recipient, sender, transaction.facts);
  return isPromise(resolution)
    ? resolution.then((known) => judgeRecipient(screening, transaction, recipient, sender, known))
    : judgeRecipient(screening, transaction, recipient, sender, resolution);
}

function resolveUnlessHop(
  directory: Directory,
  { address }: Recipient,
  sender: Sender,
  { client }: SessionFacts,
): MaybePromise<Resolution> {
  if (looksLikeRelay(address) && !isTrusted(sender.kind)) return NOT_ASKED;
  return resolveRecipient(directory, address, client.address);
}

function judgeRecipient(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipient: Recipient,
  sender: Sender,
  resolution: Resolution,
): MaybePromise<RecipientVerdict> {
  return andThen(ownerOf(screening.services.directory, resolution), (account) =>
    judgeFor(screening, transaction, recipient, sender, resolution, account),
  );
}

function judgeFor(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipient: Recipient,
  sender: Sender,
  resolution: Resolution,
  account: string,
): MaybePromise<RecipientVerdict> {
  const { plan, services } = screening;
  const { facts, reversePath, parameters, policies, boundMs } = transaction;
  const context = whoIs(recipient.address, resolution, sender);
  if (sender.pending) transaction.pending = sender as PendingSender;
  const observations = copyOf(transaction.observations);
  const view = { stage: 'rcpt', facts, reversePath, parameters, sender, recipient, context, resolution } as const;
  start(plan, view, services, observations, policies);
  const present = { recipient, context, account, observations };
  return andThen(settle(plan, 'rcpt', observations, boundMs, services), () =>
    andThen(refusedUnasked(screening, transaction, present, sender), (findings) =>
      findings
        ? refused(findings)
        : andThen(knownFor(screening, transaction, present, sender), (known) =>
            judgePresent(screening, transaction, known, sender, resolution),
          ),
    ),
  );
}

/** Name servers are asked, where they were not yet; then it is known what lists say of the sender. */
function knownFor(
  screening: Screening,
  transaction: ScreenedTransaction,
  present: Present,
  sender: Sender,
): MaybePromise<Present> {
  const { plan, services } = screening;
  const { context, account, observations } = present;
  askForRecipient(screening, transaction, observations, sender);
  return andThen(evidenceOf(plan, observations, 'spf'), (spf) =>
    andThen(exemptionsOf(services, transaction, sender, context, account, { spf }), (known) =>
      andThen(settle(plan, 'rcpt', observations, transaction.boundMs, services), () => ({
        ...present,
        context: known,
      })),
    ),
  );
}

function refused(findings: readonly Finding[]): RecipientVerdict {
  return { accepted: false, reply: replyOf(refusal(findings)!), findings };
}

function judgePresent(
  { plan, services }: Screening,
  transaction: ScreenedTransaction,
  { recipient, context, account, observations }: Present,
  sender: Sender,
  resolution: Resolution,
): RecipientVerdict {
  // What is common to all recipients and has been waited for need not be waited for again.
  if (observations.waits)
    for (const index of plan.common.rcpt) transaction.observations.byCheck[index] = observations.byCheck[index];
  const said = judge(plan, 'rcpt', observations, transaction.policies.of(context.policyDomain), context, services);
  const findings = orShort(services, said);
  if (findings.length > 0 && refusal(findings)) return refused(findings);
  transaction.recipients.push({ recipient, context, account, observations, findings });
  return {
    accepted: true,
    recipient,
    direction: context.direction,
    trusted: isTrusted(sender.kind),
    author: authorOf(sender, transaction.facts),
    policyDomain: context.policyDomain,
    targets: targetsOf(recipient, resolution),
    viaAlias: resolution.kind === 'local' && resolution.viaAlias,
    findings,
  };
}

function targetsOf({ address }: Recipient, resolution: Resolution) {
  return resolution.kind === 'local' || resolution.kind === 'role' ? resolution.targets : [address];
}

/** What refuses the recipient whatever the DNS says; undefined: it has to be asked, or was. */
export function refusedUnasked(
  { plan, services }: Screening,
  transaction: ScreenedTransaction,
  { context, account, observations }: Present,
  sender: Sender,
): MaybePromise<readonly Finding[] | undefined> {
  if (transaction.asks) return undefined;
  const { policies } = transaction;
  const say = (as: RecipientContext): readonly Finding[] =>
    judge(plan, 'rcpt', observations, policies.of(context.policyDomain), as, services);
  return andThen(exemptionsUnasked(services, transaction, sender, context, account), (known) => {
    const findings = say(known ?? context);
    if (findings.length === 0 || !refusal(findings)) return undefined;
    return known || refusal(say(favoured(context))) ? findings : undefined;
  });
}

/** As if every list and pair spoke for the sender. */
function favoured(context: RecipientContext): RecipientContext {
  return {
    ...context,
    listed: EVERYTHING,
    listing: { list: 'allow', kind: 'host', owner: '', value: '', met: 'envelope' },
  };
}

/** Begins what waited for a recipient, once a transaction; this recipient sees it too. */
export function askForRecipient(
  { plan, services }: Screening,
  transaction: ScreenedTransaction,
  observations: Observations,
  sender: Sender,
): void {
  if (transaction.asks) return;
  transaction.asks = true;
  const { facts, reversePath, parameters, policies, sources } = transaction;
  const isHidden = sources.hidden !== undefined;
  const view = { stage: 'mail', facts, reversePath, parameters, sender, isHidden } as const;
  startUponRecipient(plan, view, services, transaction.observations, policies);
  for (const index of policies.uponRecipient) observations.byCheck[index] = transaction.observations.byCheck[index];
  observations.waits ||= transaction.observations.waits;
}
