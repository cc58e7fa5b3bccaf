/**
 * The message stage: everything observed once, judged for each recipient, decided for all; and what
 * the journal needs to explain it and to replay it.
 */
import type { ContentRef, HeaderEdit } from '../model/content.ts';
import type { Envelope } from '../model/envelope.ts';
import type { Evidence, Finding } from '../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { RecipientFindings } from '../model/trail.ts';
import type { HeaderFacts } from '../protocol/mime/words.ts';
import { NOTHING } from './check.ts';
import type { MessageFacts, MessageVerdict } from './contract.ts';
import { decide, strongest } from './decide.ts';
import { joined, judge, type Observations, type Observed, type Plan, settle, start } from './engine.ts';
import { messageFacts } from './header.ts';
import type { AcceptedRecipient, Screening, Transaction } from './session.ts';

export type MessageEvidence = Readonly<Record<string, Evidence>>;
export type ScreenedMessage = MessageVerdict & { readonly facts: MessageFacts; readonly evidence: MessageEvidence };

const NO_EDITS: readonly HeaderEdit[] = NOTHING;
const NO_EDITS_FOR_ONE: readonly (readonly HeaderEdit[])[] = Object.freeze([NO_EDITS]);

export function screenMessage(
  screening: Screening,
  transaction: Transaction,
  envelope: Envelope,
  content: ContentRef,
  header: HeaderFacts,
): MaybePromise<ScreenedMessage> {
  const { plan, services } = screening;
  const { facts, reversePath, parameters, observations } = transaction;
  start(plan, { stage: 'message', facts, reversePath, parameters, envelope, content, header }, services, observations);
  const recipients = present(envelope, transaction.recipients);
  return andThen(settleAll(screening, transaction, recipients), () =>
    verdict(screening, transaction, recipients, header),
  );
}

/** Receive may turn away a recipient whom we accept (452 4.5.3): only the envelope says who is there. */
function present(envelope: Envelope, accepted: readonly AcceptedRecipient[]): readonly AcceptedRecipient[] {
  if (envelope.recipients.length === accepted.length) return accepted;
  const wanted = new Set(envelope.recipients);
  return accepted.filter(({ recipient }) => wanted.has(recipient));
}

/** First what all recipients share, then what each waits for alone. */
function settleAll(
  { plan, services }: Screening,
  { observations, boundMs }: Transaction,
  recipients: readonly AcceptedRecipient[],
): MaybePromise<void> {
  return andThen(settle(plan, 'message', observations, boundMs, services), () => {
    const waiting: Promise<void>[] = [];
    for (const recipient of recipients) {
      for (const index of plan.common.message) recipient.observations[index] = observations[index];
      const settled = settle(plan, 'message', recipient.observations, boundMs, services);
      if (isPromise(settled)) waiting.push(settled);
    }
    return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
  });
}

function verdict(
  { plan, services }: Screening,
  transaction: Transaction,
  recipients: readonly AcceptedRecipient[],
  header: HeaderFacts,
): ScreenedMessage {
  const { policies } = transaction;
  const deciding: (Finding | undefined)[] = [];
  const findings: RecipientFindings[] = [];
  if (transaction.findings.length > 0) findings.push({ findings: transaction.findings });
  for (const recipient of recipients) {
    const { who } = recipient;
    const said = judge(plan, 'message', recipient.observations, policies.of(who.policyDomain), who, services);
    const all = joined(recipient.findings, said);
    deciding.push(all.length > 0 ? strongest(all) : undefined);
    if (all.length > 0) findings.push({ recipient: who.address, findings: all });
  }
  const decision = decide(deciding, recipients[0]?.who.sender ?? 'stranger', plan.ids);
  const rest = {
    findings,
    facts: messageFacts(header),
    evidence: evidenceOf(plan, transaction.observations, recipients),
  };
  return decision.kind === 'reply'
    ? { kind: 'reply', reply: decision.reply, ...rest }
    : { kind: 'commit', dispositions: decision.dispositions, edits: noEdits(recipients.length), ...rest };
}

function noEdits(count: number): readonly (readonly HeaderEdit[])[] {
  return count === 1 ? NO_EDITS_FOR_ONE : Array.from({ length: count }, () => NO_EDITS);
}

/** By check id; under `recipients`, by address, who each is and what was seen of it alone. */
function evidenceOf(plan: Plan, observations: Observations, recipients: readonly AcceptedRecipient[]): MessageEvidence {
  const byRecipient: Record<string, Evidence> = {};
  for (const recipient of recipients) {
    const seen: Record<string, Evidence> = { who: recipient.who as unknown as Evidence };
    collect(plan, plan.starts.rcpt, recipient.observations, seen);
    byRecipient[recipient.who.address] = seen;
  }
  const evidence: Record<string, Evidence> = { recipients: byRecipient };
  for (const stage of ['connect', 'ehlo', 'mail', 'message'] as const)
    collect(plan, plan.starts[stage], observations, evidence);
  return evidence;
}

function collect(
  plan: Plan,
  indexes: readonly number[],
  observations: Observations,
  into: Record<string, Evidence>,
): void {
  for (const index of indexes) {
    const observed = observations[index] as Observed | undefined;
    if (observed?.evidence) into[plan.ids[index]!] = observed.evidence;
  }
}
