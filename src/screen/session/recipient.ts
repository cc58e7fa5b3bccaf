/**
 * The RCPT stage: the kind of recipient, and the findings of the checks about it.
 *
 * The first recipient decides whether there are look-ups: name servers of the sender's choice are asked only if the
 * checks without look-ups accept a recipient. Most attacks name none, or one that does not exist, and then cost no
 * look-up. This way never refuses a recipient that lists, pairs or SPF could still allow.
 */
import type { Directory, Resolution } from '../../directory/contract.ts';
import type { Recipient } from '../../model/envelope.ts';
import type { Finding } from '../../model/finding.ts';
import { atOnce, type MaybePromise, type Steps, wait } from '../../model/maybe-promise.ts';
import type { SessionFacts } from '../../model/session.ts';
import { looksLikeRelay } from '../../protocol/smtp/address.ts';
import type { RecipientVerdict } from '../contract.ts';
import type { GrantedExemption, RecipientContext } from '../engine/check.ts';
import { replyOf } from '../engine/decide.ts';
import { copyOf, judge, type Observations, settle, start, startUponRecipient } from '../engine/engine.ts';
import { evidenceOf } from '../engine/observation.ts';
import { exemptionsOf, exemptionsUnasked } from '../sender/exemptions.ts';
import type { Granted } from '../sender/grants.ts';
import { authorOf, isTrusted, ownerOf, resolveRecipient, type Sender, whoIs } from '../sender/recipient-context.ts';
import { noteRefused } from './evidence.ts';
import type { PendingSender } from './pending.ts';
import { orShort, type Present, refusal, type ScreenedTransaction, type Screening } from './session.ts';

/** For a client outside that asks for a further hop: no source is asked whether such a user exists. */
const NOT_ASKED: Resolution = Object.freeze({ kind: 'remote' });

const EVERYTHING: readonly GrantedExemption[] = ['allowListed', 'ipShield', 'ipShieldPreset'];

/** Adds an accepted recipient to the transaction's, and records a refused one for the log. */
export function screenRecipient(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipient: Recipient,
): MaybePromise<RecipientVerdict> {
  return atOnce(screenSteps(screening, transaction, recipient));
}

function* screenSteps(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipient: Recipient,
): Steps<RecipientVerdict> {
  const { plan, services } = screening;
  const { facts, reversePath, parameters, policies, boundMs } = transaction;
  const sender = yield* wait(transaction.sender);
  transaction.known = sender;
  if (sender.pending) transaction.pending = sender as PendingSender;
  const resolution = yield* wait(resolveUnlessHop(services.directory, recipient, sender, facts));
  const account = yield* wait(ownerOf(services.directory, resolution));
  const context = whoIs(recipient.address, resolution, sender);

  const observations = copyOf(transaction.observations);
  const view = { stage: 'rcpt', facts, reversePath, parameters, sender, recipient, context, resolution } as const;
  start(plan, view, services, observations, policies);
  yield* wait(settle(plan, 'rcpt', observations, boundMs, services));
  const present: Present = { recipient, context, account, observations };
  const unasked = yield* refusedUnasked(screening, transaction, present, sender);
  if (unasked) return refuse(transaction, unasked.context, observations, unasked.findings, 'unasked');

  // Starts look-ups, if they have not started; then the matches of lists are known.
  askForRecipient(screening, transaction, observations, sender);
  const spf = yield* wait(evidenceOf(plan, observations, 'spf'));
  const known = yield* wait(exemptionsOf(services, transaction, sender, context, account, { spf }));
  yield* wait(settle(plan, 'rcpt', observations, boundMs, services));
  // Shared observations that were awaited once need not be awaited again.
  if (observations.waits)
    for (const index of plan.common.rcpt) transaction.observations.byCheck[index] = observations.byCheck[index];

  const findings = orShort(
    services,
    judge(plan, 'rcpt', observations, policies.of(known.policyDomain), known, services),
  );
  if (findings.length > 0 && refusal(findings)) return refuse(transaction, known, observations, findings, 'asked');
  accept(transaction, { ...present, context: known }, findings);
  return {
    accepted: true,
    recipient,
    direction: known.direction,
    trusted: isTrusted(sender.kind),
    author: authorOf(sender, facts),
    policyDomain: known.policyDomain,
    targets: targetsOf(recipient, resolution),
    viaAlias: resolution.kind === 'local' && resolution.viaAlias,
    findings,
  };
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

function refuse(
  transaction: ScreenedTransaction,
  context: RecipientContext,
  atRcpt: Observations,
  findings: readonly Finding[],
  how: 'unasked' | 'asked',
): RecipientVerdict {
  noteRefused(transaction, context, atRcpt, how);
  return { accepted: false, reply: replyOf(refusal(findings)!), findings };
}

/** The message stage has observations of its own, so that those of RCPT stay for the log. */
function accept(transaction: ScreenedTransaction, present: Present, findings: readonly Finding[]): void {
  const { context, observations: atRcpt } = present;
  transaction.recipients.push({ ...present, observations: copyOf(atRcpt), atRcpt, findings });
  transaction.asked.push({ context, atRcpt });
}

function targetsOf({ address }: Recipient, resolution: Resolution) {
  return resolution.kind === 'local' || resolution.kind === 'role' ? resolution.targets : [address];
}

/**
 * The refusal of the recipient that no DNS answer can change, and its context then; undefined: look-ups are needed,
 * or were done.
 */
function* refusedUnasked(
  { plan, services }: Screening,
  transaction: ScreenedTransaction,
  { context, account, observations }: Present,
  sender: Sender,
): Steps<{ readonly context: RecipientContext; readonly findings: readonly Finding[] } | undefined> {
  if (transaction.asks) return undefined;
  const { policies } = transaction;
  const say = (as: RecipientContext): readonly Finding[] =>
    judge(plan, 'rcpt', observations, policies.of(context.policyDomain), as, services);
  const known = yield* wait(exemptionsUnasked(services, transaction, sender, context, account));
  const findings = say(known ?? context);
  if (findings.length === 0 || !refusal(findings)) return undefined;
  if (known) return { context: known, findings };
  return refusal(say(favoured(context))) ? { context: { ...context, granted: UNASKED }, findings } : undefined;
}

const UNASKED: Granted = Object.freeze({ isUnasked: true });

/** As if every list and pair were in favour of the sender. */
export function favoured(context: RecipientContext): RecipientContext {
  return {
    ...context,
    listed: EVERYTHING,
    listing: { list: 'allow', kind: 'host', owner: '', value: '', met: 'envelope' },
  };
}

/** Starts the checks that waited for a recipient, once a transaction; this recipient gets them too. */
function askForRecipient(
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
