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
import { NOTHING, type Views } from './check.ts';
import type { MessageFacts, MessageVerdict } from './contract.ts';
import { decide, strongest } from './decide.ts';
import {
  isExempt,
  joined,
  judge,
  NOBODY_ASKS,
  type Observations,
  type Observed,
  type Plan,
  settle,
  start,
} from './engine.ts';
import { messageFacts, type ReadHeader } from './header.ts';
import { type AcceptedRecipient, evidenceOf, type Screening, type Transaction } from './session.ts';
import { standing } from './standing.ts';
import { orCannotTell, shieldVerdict } from './who.ts';

export type MessageEvidence = Readonly<Record<string, Evidence>>;
export type ScreenedMessage = MessageVerdict & { readonly facts: MessageFacts; readonly evidence: MessageEvidence };

const NO_EDITS: readonly HeaderEdit[] = NOTHING;
const NO_EDITS_FOR_ONE: readonly (readonly HeaderEdit[])[] = Object.freeze([NO_EDITS]);

export function screenMessage(
  screening: Screening,
  transaction: Transaction,
  envelope: Envelope,
  content: ContentRef,
  header: ReadHeader,
): MaybePromise<ScreenedMessage> {
  const { plan, services } = screening;
  const { facts, reversePath, parameters, observations, policies, sender } = transaction;
  const recipients = present(envelope, transaction.recipients);
  const view: Views['message'] = {
    stage: 'message',
    facts,
    reversePath,
    parameters,
    sender,
    envelope,
    content,
    header: header.facts,
    head: header.head,
    seen: (check) => evidenceOf(plan, observations, check),
    shieldOf: (domain) => shieldVerdict(transaction.sources, facts, domain),
    verification: undefined,
  };
  const asks = (index: number): boolean => {
    for (const { who } of recipients) {
      const policy = policies.of(who.policyDomain)[index]!;
      if (policy.enabled && !isExempt(policy, who)) return true;
    }
    return false;
  };
  start(plan, view, services, observations, policies.of(''), asks);
  return andThen(settleAll(screening, transaction, recipients), () =>
    andThen(knowing(screening, transaction, recipients, header.facts), (known) =>
      verdict(screening, transaction, known, header),
    ),
  );
}

/** The recipients, with what the lists say now that the header is read and signatures are verified. */
function knowing(
  { plan, services }: Screening,
  transaction: Transaction,
  recipients: readonly AcceptedRecipient[],
  header: HeaderFacts,
): MaybePromise<readonly AcceptedRecipient[]> {
  const { observations } = transaction;
  const isEmpty = orCannotTell(true, () => andThen(services.senderRules.lists(), (table) => table.isEmpty));
  return andThen(isEmpty, (noLists) => {
    if (noLists && !recipients.some(({ who }) => who.listed)) return recipients;
    return Promise.all([
      transaction.sender,
      evidenceOf(plan, observations, 'spf'),
      evidenceOf(plan, observations, 'dkim'),
    ]).then(([sender, spf, dkim]) =>
      Promise.all(
        recipients.map(async (recipient) => {
          const { who, account } = recipient;
          return {
            ...recipient,
            who: await standing(services, transaction, sender, who, account, { spf, dkim, header }),
          };
        }),
      ),
    );
  });
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
  header: ReadHeader,
): ScreenedMessage {
  const { policies } = transaction;
  const deciding: (Finding | undefined)[] = [];
  const findings: RecipientFindings[] = [];
  if (transaction.findings.length > 0) findings.push({ findings: transaction.findings });
  for (const recipient of recipients) {
    const { who } = recipient;
    const said = judge(
      plan,
      'message',
      recipient.observations,
      policies.of(who.policyDomain),
      who,
      services,
      recipient.findings,
    );
    const all = joined(recipient.findings, said);
    deciding.push(all.length > 0 ? strongest(all) : undefined);
    if (all.length > 0) findings.push({ recipient: who.address, findings: all });
  }
  const decision = decide(deciding, recipients[0]?.who.sender ?? 'stranger', plan.ids);
  conclude(plan, transaction.observations, findings, decision.kind === 'reply');
  const rest = {
    findings,
    facts: messageFacts(header.facts),
    evidence: allEvidence(plan, transaction.observations, recipients),
  };
  return decision.kind === 'reply'
    ? { kind: 'reply', reply: decision.reply, ...rest }
    : { kind: 'commit', dispositions: decision.dispositions, edits: editsOf(plan, transaction, recipients), ...rest };
}

/** What each check makes of it for the log, now that everybody is decided. */
function conclude(plan: Plan, observations: Observations, all: readonly RecipientFindings[], answered: boolean): void {
  for (const index of plan.concludes) {
    const evidence = (observations[index] as Observed | undefined)?.evidence;
    if (!evidence || evidence['made'] === false) continue;
    const id = plan.ids[index]!;
    const findings = all.flatMap((one) => one.findings.filter(({ check }) => check === id));
    observations[index] = { evidence: plan.checks[index]!.conclude!(evidence, { answered, findings }) };
  }
}

function editsOf(
  plan: Plan,
  { observations, policies }: Transaction,
  recipients: readonly AcceptedRecipient[],
): readonly (readonly HeaderEdit[])[] {
  if (recipients.length === 1) {
    const edits = editsFor(plan, observations, policies, recipients[0]!);
    return edits.length === 0 ? NO_EDITS_FOR_ONE : [edits];
  }
  return recipients.map((recipient) => editsFor(plan, observations, policies, recipient));
}

function editsFor(
  { checks, edits }: Plan,
  observations: Observations,
  policies: Transaction['policies'],
  { who }: AcceptedRecipient,
): readonly HeaderEdit[] {
  let all = NO_EDITS;
  for (const index of edits) {
    const evidence = (observations[index] as Observed | undefined)?.evidence;
    if (!evidence || evidence['made'] === false) continue;
    const policy = policies.of(who.policyDomain)[index]!;
    if (!policy.enabled || isExempt(policy, who)) continue;
    const own = checks[index]!.edits!(evidence, policy.values, who);
    all = all.length === 0 ? own : own.length === 0 ? all : [...all, ...own];
  }
  return all;
}

/** By check id; under `recipients`, by address, who each is and what was seen of it alone. */
function allEvidence(
  plan: Plan,
  observations: Observations,
  recipients: readonly AcceptedRecipient[],
): MessageEvidence {
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
    if (observed?.evidence && observed !== NOBODY_ASKS) into[plan.ids[index]!] = observed.evidence;
  }
}
