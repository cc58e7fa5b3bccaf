/**
 * The RCPT stage: who the recipient is, and what the checks say of it.
 *
 * The first recipient decides whether anybody is asked: name servers of the sender's choice hear of a
 * transaction only if the checks that ask nobody accept a recipient. Most attacks name none, or one who
 * does not exist, and cost no look-up then. Never refuses so what lists, pairs or SPF could still allow.
 */
import type { Directory, Resolution } from '../directory/contract.ts';
import type { Recipient } from '../model/envelope.ts';
import type { Finding } from '../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { SessionFacts } from '../model/session.ts';
import { looksLikeRelay } from '../protocol/smtp/address.ts';
import type { Standing, Who } from './check.ts';
import type { RecipientVerdict } from './contract.ts';
import { replyOf } from './decide.ts';
import { copyOf, judge, type Observations, settle, start, startUponRecipient } from './engine.ts';
import type { PendingSender } from './pending.ts';
import { evidenceOf } from './seen.ts';
import { orShort, type Present, refusal, type Screening, type Transaction } from './session.ts';
import { standing, standingUnasked } from './standing.ts';
import { authorOf, isTrusted, ownerOf, resolveRecipient, type Sender, whoIs } from './who.ts';

/** For whoever asks for a further hop from outside: no source is asked whether such a user exists. */
const NOT_ASKED: Resolution = Object.freeze({ kind: 'remote' });

const EVERYTHING: readonly Standing[] = ['allowListed', 'ipShield', 'ipShieldPreset'];

/** Pushes who is accepted to the transaction's recipients. */
export function screenRecipient(
  screening: Screening,
  transaction: Transaction,
  recipient: Recipient,
): MaybePromise<RecipientVerdict> {
  const { sender } = transaction;
  return isPromise(sender)
    ? sender.then((known) => resolveFor(screening, transaction, recipient, known))
    : resolveFor(screening, transaction, recipient, sender);
}

function resolveFor(
  screening: Screening,
  transaction: Transaction,
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
  transaction: Transaction,
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
  transaction: Transaction,
  recipient: Recipient,
  sender: Sender,
  resolution: Resolution,
  account: string,
): MaybePromise<RecipientVerdict> {
  const { plan, services } = screening;
  const { facts, reversePath, parameters, policies, boundMs } = transaction;
  const who = whoIs(recipient.address, resolution, sender);
  if (sender.pending) transaction.pending = sender as PendingSender;
  const observations = copyOf(transaction.observations);
  const view = { stage: 'rcpt', facts, reversePath, parameters, sender, recipient, who, resolution } as const;
  start(plan, view, services, observations, policies);
  const present = { recipient, who, account, observations };
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
  transaction: Transaction,
  present: Present,
  sender: Sender,
): MaybePromise<Present> {
  const { plan, services } = screening;
  const { who, account, observations } = present;
  askForRecipient(screening, transaction, observations, sender);
  return andThen(evidenceOf(plan, observations, 'spf'), (spf) =>
    andThen(standing(services, transaction, sender, who, account, { spf }), (known) =>
      andThen(settle(plan, 'rcpt', observations, transaction.boundMs, services), () => ({ ...present, who: known })),
    ),
  );
}

function refused(findings: readonly Finding[]): RecipientVerdict {
  return { accepted: false, reply: replyOf(refusal(findings)!), findings };
}

function judgePresent(
  { plan, services }: Screening,
  transaction: Transaction,
  { recipient, who, account, observations }: Present,
  sender: Sender,
  resolution: Resolution,
): RecipientVerdict {
  // What is common to all recipients and has been waited for need not be waited for again.
  if (observations.waits)
    for (const index of plan.common.rcpt) transaction.observations.seen[index] = observations.seen[index];
  const said = judge(plan, 'rcpt', observations, transaction.policies.of(who.policyDomain), who, services);
  const findings = orShort(services, said);
  if (findings.length > 0 && refusal(findings)) return refused(findings);
  transaction.recipients.push({ recipient, who, account, observations, findings });
  return {
    accepted: true,
    recipient,
    direction: who.direction,
    trusted: isTrusted(sender.kind),
    author: authorOf(sender, transaction.facts),
    policyDomain: who.policyDomain,
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
  transaction: Transaction,
  { who, account, observations }: Present,
  sender: Sender,
): MaybePromise<readonly Finding[] | undefined> {
  if (transaction.asks) return undefined;
  const { policies } = transaction;
  const say = (as: Who): readonly Finding[] =>
    judge(plan, 'rcpt', observations, policies.of(who.policyDomain), as, services);
  return andThen(standingUnasked(services, transaction, sender, who, account), (known) => {
    const findings = say(known ?? who);
    if (findings.length === 0 || !refusal(findings)) return undefined;
    return known || refusal(say(favoured(who))) ? findings : undefined;
  });
}

/** As if every list and pair spoke for the sender. */
function favoured(who: Who): Who {
  return {
    ...who,
    listed: EVERYTHING,
    listing: { list: 'allow', kind: 'host', owner: '', value: '', met: 'envelope' },
  };
}

/** Begins what waited for a recipient, once a transaction; this recipient sees it too. */
export function askForRecipient(
  { plan, services }: Screening,
  transaction: Transaction,
  observations: Observations,
  sender: Sender,
): void {
  if (transaction.asks) return;
  transaction.asks = true;
  const { facts, reversePath, parameters, policies, sources } = transaction;
  const isHidden = sources.hidden !== undefined;
  const view = { stage: 'mail', facts, reversePath, parameters, sender, isHidden } as const;
  startUponRecipient(plan, view, services, transaction.observations, policies);
  for (const index of policies.uponRecipient) observations.seen[index] = transaction.observations.seen[index];
  observations.waits ||= transaction.observations.waits;
}
