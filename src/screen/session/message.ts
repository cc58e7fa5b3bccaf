/**
 * The message stage: everything observed once, judged for each recipient, decided for all; and the evidence with
 * which the journal explains and replays it.
 */

import type { ContentRef, HeaderEdit } from '../../model/content.ts';
import type { Envelope } from '../../model/envelope.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { RecipientFindings } from '../../model/journal-detail.ts';
import { isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { HeaderFacts } from '../../protocol/mime/types.ts';
import { wholeField } from '../../protocol/text/unsafe.ts';
import { loopStep } from '../../world/loop-watch.ts';
import type { Verification } from '../checks/origin/verification.ts';
import type { MessageFacts, MessageVerdict } from '../contract.ts';
import { type Check, NOTHING, type RecipientContext, type Views } from '../engine/check.ts';
import { type Decision, decide, replyOf, strongest } from '../engine/decide.ts';
import {
  defect,
  failure,
  isExempt,
  joined,
  judge,
  type Observations,
  type Observed,
  settle,
  start,
} from '../engine/engine.ts';
import type { MessageEvidence } from '../engine/evidence.ts';
import { evidenceFor, evidenceIn, evidenceOf } from '../engine/observation.ts';
import type { Plan } from '../engine/plan.ts';
import type { Policies } from '../engine/policies.ts';
import { exemptionsOf, listsOf } from '../sender/exemptions.ts';
import { type Sender, shieldingFor } from '../sender/recipient-context.ts';
import type { Shielding } from '../sender/shielding.ts';
import { evidenceWithMessage } from './evidence.ts';
import { messageFacts, type ReadHeader } from './header.ts';
import { SHORT_OF_LOOK_UPS } from './look-ups.ts';
import type { AcceptedRecipient, ScreenedTransaction, Screening } from './session.ts';

type MessageViewed = Views['message'];
export type ScreenedMessage = MessageVerdict & { readonly facts: MessageFacts; readonly evidence: MessageEvidence };

const NO_EDITS: readonly HeaderEdit[] = NOTHING;
const NO_EDITS_FOR_ONE: readonly (readonly HeaderEdit[])[] = Object.freeze([NO_EDITS]);

export function screenMessage(
  screening: Screening,
  transaction: ScreenedTransaction,
  envelope: Envelope,
  content: ContentRef,
  header: ReadHeader,
): MaybePromise<ScreenedMessage> {
  const { plan, services } = screening;
  const { observations, policies } = transaction;
  const recipients = present(envelope, transaction.recipients);
  const view = new MessageView(plan, transaction, envelope, content, header);
  start(plan, view, services, observations, policies, (index) => isAsked(index, policies, recipients));
  const settled = settleAll(screening, transaction, recipients);
  const judgedFor = (all: readonly AcceptedRecipient[]): ScreenedMessage =>
    loopStep('verdict', transaction.facts.id, () => verdict(screening, transaction, all, header));
  const judged = (): MaybePromise<ScreenedMessage> => {
    const known = knowing(screening, transaction, recipients, header.facts);
    return isPromise(known) ? known.then(judgedFor) : judgedFor(known);
  };
  return settled ? settled.then(judged) : judged();
}

class MessageView implements MessageViewed {
  readonly stage = 'message';
  readonly facts: MessageViewed['facts'];
  readonly reversePath: MessageViewed['reversePath'];
  readonly parameters: MessageViewed['parameters'];
  readonly sender: MessageViewed['sender'];
  readonly envelope: Envelope;
  readonly content: ContentRef;
  readonly header: HeaderFacts;
  readonly head: Uint8Array;
  verification: Verification | undefined = undefined;
  readonly #plan: Plan;
  readonly #transaction: ScreenedTransaction;

  constructor(
    plan: Plan,
    transaction: ScreenedTransaction,
    envelope: Envelope,
    content: ContentRef,
    header: ReadHeader,
  ) {
    this.facts = transaction.facts;
    this.reversePath = transaction.reversePath;
    this.parameters = transaction.parameters;
    this.sender = transaction.sender;
    this.envelope = envelope;
    this.content = content;
    this.header = header.facts;
    this.head = header.head;
    this.#plan = plan;
    this.#transaction = transaction;
  }

  observed(check: string): MaybePromise<Evidence | undefined> {
    return evidenceFor(this.#plan, this.#transaction.observations, check);
  }

  shieldOf(domain: string): MaybePromise<Shielding> {
    return shieldingFor(this.#transaction.sources, this.facts, domain);
  }
}

function isAsked(index: number, policies: Policies, recipients: readonly AcceptedRecipient[]): boolean {
  for (const { context } of recipients) {
    const policy = policies.of(context.policyDomain).checks[index]!;
    if (policy.enabled && !isExempt(policy, context)) return true;
  }
  return false;
}

/** The recipients with the matches of the lists, now that the header is read and signatures are verified. */
function knowing(
  { plan, services }: Screening,
  transaction: ScreenedTransaction,
  recipients: readonly AcceptedRecipient[],
  header: HeaderFacts,
): MaybePromise<readonly AcceptedRecipient[]> {
  const lists = listsOf(services);
  if (!lists && !recipients.some(({ context }) => context.granted)) return recipients;
  const { observations } = transaction;
  const known = [
    lists,
    transaction.sender,
    evidenceOf(plan, observations, 'spf'),
    evidenceOf(plan, observations, 'dkim'),
  ];
  return known.some(isPromise) ? Promise.all(known).then(grantAll) : grantAll(known);

  function grantAll([_, sender, spf, dkim]: readonly unknown[]): MaybePromise<readonly AcceptedRecipient[]> {
    const origin = { spf: spf as Evidence, dkim: dkim as Evidence, header };
    const contexts = recipients.map(({ context, account }) =>
      exemptionsOf(services, transaction, sender as Sender, context, account, origin),
    );
    const granted = (all: readonly RecipientContext[]) =>
      recipients.map((recipient, index) => ({ ...recipient, context: all[index]! }));
    return contexts.some(isPromise) ? Promise.all(contexts).then(granted) : granted(contexts as RecipientContext[]);
  }
}

/** Receive may refuse a recipient that screening accepts (452 4.5.3): only the envelope has the actual ones. */
function present(envelope: Envelope, accepted: readonly AcceptedRecipient[]): readonly AcceptedRecipient[] {
  if (envelope.recipients.length === accepted.length) return accepted;
  const wanted = new Set(envelope.recipients);
  return accepted.filter(({ recipient }) => wanted.has(recipient));
}

/** First the observations that all recipients share, then those of each. */
function settleAll(
  { plan, services }: Screening,
  { observations, boundMs }: ScreenedTransaction,
  recipients: readonly AcceptedRecipient[],
): Promise<void> | undefined {
  const each = (): Promise<void> | undefined => {
    const waiting: Promise<void>[] = [];
    for (const recipient of recipients) {
      const { byCheck } = recipient.observations;
      for (const index of plan.common.message) byCheck[index] = observations.byCheck[index];
      const settled = settle(plan, 'message', recipient.observations, boundMs, services);
      if (settled) waiting.push(settled);
    }
    return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
  };
  const settled = settle(plan, 'message', observations, boundMs, services);
  return settled ? settled.then(each) : each();
}

function verdict(
  screening: Screening,
  transaction: ScreenedTransaction,
  recipients: readonly AcceptedRecipient[],
  header: ReadHeader,
): ScreenedMessage {
  const { plan, services } = screening;
  const { policies } = transaction;
  const deciding: (Finding | undefined)[] = [];
  const short: readonly Finding[] = services.resolver.isShort() ? SHORT_OF_LOOK_UPS : NOTHING;
  const findings: RecipientFindings[] = [];
  if (transaction.findings.length > 0) findings.push({ findings: transaction.findings });
  for (const recipient of recipients) {
    const { context } = recipient;
    const said = judge(
      plan,
      'message',
      recipient.observations,
      policies.of(context.policyDomain),
      context,
      services,
      recipient.findings,
    );
    const all = joined(short, joined(recipient.findings, said));
    deciding.push(all.length > 0 ? strongest(all) : undefined);
    if (all.length > 0) findings.push({ recipient: context.address, findings: all });
  }
  const decided = decide(deciding, recipients[0]?.context.sender ?? 'stranger', plan.ids);
  const failed: Finding[] = [];
  const fails = (check: Check, error: unknown): void => {
    const failing = failure(check, defect(check, 'message', error, services));
    // A check that is off for all of them protects none of them.
    if (isAsked(plan.indexOf.get(check.id)!, policies, recipients)) failed.push(failing);
  };
  const edits = decided.kind === 'reply' ? NOTHING : editsOf(transaction, recipients, fails);
  conclude(plan, transaction.observations, findings, decided.kind === 'reply', fails);
  if (failed.length > 0) findings.push({ findings: failed });
  const decision = unlessFailed(decided, failed);
  const rest = {
    findings,
    facts: messageFacts(header.facts),
    evidence: evidenceWithMessage(screening, transaction, recipients),
  };
  return decision.kind === 'reply'
    ? { kind: 'reply', reply: decision.reply, ...rest }
    : { kind: 'commit', dispositions: decision.dispositions, edits, ...rest };
}

/** If a check that protects failed to edit or record, the message must not be delivered without it. */
function unlessFailed(decision: Decision, failed: readonly Finding[]): Decision {
  const waiting = failed.find(({ action }) => action === 'defer');
  return waiting && decision.kind === 'commit' ? { kind: 'reply', reply: replyOf(waiting) } : decision;
}

type Fails = (check: Check, error: unknown) => void;

/** The final evidence of each check for the log, now that all recipients are decided. */
function conclude(
  plan: Plan,
  { byCheck }: Observations,
  all: readonly RecipientFindings[],
  answered: boolean,
  fails: Fails,
): void {
  for (const index of plan.concludes) {
    const evidence = evidenceIn(byCheck[index] as Observed | undefined);
    if (!evidence || evidence['made'] === false) continue;
    const check = plan.checks[index]!;
    const findings = all.flatMap((one) => one.findings.filter((finding) => finding.check === check.id));
    try {
      byCheck[index] = check.conclude!(evidence, { answered, findings });
    } catch (error) {
      fails(check, error);
    }
  }
}

function editsOf(
  { observations, policies }: ScreenedTransaction,
  recipients: readonly AcceptedRecipient[],
  fails: Fails,
): readonly (readonly HeaderEdit[])[] {
  if (recipients.length === 1) {
    const edits = editsFor(observations, policies, recipients[0]!, fails);
    return edits.length === 0 ? NO_EDITS_FOR_ONE : [edits];
  }
  return recipients.map((recipient) => editsFor(observations, policies, recipient, fails));
}

/** Each edit writes one field, whatever untrusted text a check put into it. The same list if that is so already. */
function wholeEdits(edits: readonly HeaderEdit[]): readonly HeaderEdit[] {
  if (edits.every((edit) => edit.kind === 'remove' || wholeField(edit.raw) === edit.raw)) return edits;
  return edits.map((edit) => (edit.kind === 'remove' ? edit : { ...edit, raw: wholeField(edit.raw) }));
}

function editsFor(
  { byCheck }: Observations,
  policies: Policies,
  { context }: AcceptedRecipient,
  fails: Fails,
): readonly HeaderEdit[] {
  let all = NO_EDITS;
  for (const { index, check, policy } of policies.of(context.policyDomain).edits) {
    const observed = byCheck[index] as Observed | undefined;
    if (observed === check.clear) continue;
    const evidence = evidenceIn(observed);
    if (!evidence || evidence['made'] === false || isExempt(policy, context)) continue;
    const own = editsBy(check, () => wholeEdits(check.edits!(evidence, policy.values, context)), fails);
    all = all.length === 0 ? own : own.length === 0 ? all : [...all, ...own];
  }
  return all;
}

function editsBy(check: Check, make: () => readonly HeaderEdit[], fails: Fails): readonly HeaderEdit[] {
  try {
    return make();
  } catch (error) {
    fails(check, error);
    return NO_EDITS;
  }
}
