/**
 * Replay: the effect of other settings on a past transaction. Judges stored evidence again, stage by stage, and
 * decides by the same rules; does no look-ups.
 *
 * A result that the evidence does not contain is `unknown`, never a guess: it was not observed, was cut, is of an
 * older version, or a setting of looking would have changed the observation. For a recipient that is no longer
 * refused at RCPT, while its message was never received, only the result of RCPT is known (`atLeast`). No client
 * waits for a reply here, so a defect of a check is reported to the caller.
 */
import type { Evidence, Finding } from '../../model/finding.ts';
import type { SettingsSnapshot } from '../../settings/contract.ts';
import type { Check, RecipientContext } from '../engine/check.ts';
import { decide, strongest } from '../engine/decide.ts';
import { isExempt, judgeOne, priorFindingsOf, spares } from '../engine/engine.ts';
import { type About, EVIDENCE_VERSION, type MessageEvidence } from '../engine/evidence.ts';
import { type Plan, plan } from '../engine/plan.ts';
import { createPolicies, type DomainPolicy, type Policies } from '../engine/policies.ts';
import { CHECKS } from '../index.ts';
import { type GrantRules, grantRules, NOTHING_GRANTED, withGrants } from '../sender/grants.ts';
import { favoured } from '../session/recipient.ts';
import { refusal } from '../session/session.ts';
import { type Elsewhere, elsewhere, type LookingUnder, lookingUnder, type Why, wasSpared } from './unknown.ts';

export type ReplayedDisposition = 'accept' | 'hold' | 'redirect' | 'discard' | 'refuse' | 'defer';

export interface ReplayedRecipient {
  readonly address: string;
  readonly findings: readonly Finding[];
  /** The finding that decides; absent if none asks for more than acceptance. */
  readonly deciding?: Finding;
  /** Absent: it is unknown. */
  readonly disposition?: ReplayedDisposition;
  readonly unknown?: Why;
  /** The message itself was never received: its checks may give a worse result. */
  readonly atLeast?: true;
}

export interface Replayed {
  readonly recipients: readonly ReplayedRecipient[];
  /** For the transaction as a whole. */
  readonly unknown?: Why;
}

/** `evidence`: from the journal. */
export type Replay = (evidence: MessageEvidence) => Replayed;

interface Under {
  readonly plan: Plan;
  readonly policies: Policies;
  readonly rules: GrantRules;
  readonly looking: LookingUnder;
}

/** A transaction in the form for judging. */
interface Subject extends Under {
  readonly evidence: MessageEvidence;
  readonly about: About;
  readonly recipients: readonly StoredRecipient[];
  readonly other: Elsewhere;
}

interface StoredRecipient {
  readonly address: string;
  readonly seen: Evidence;
  readonly atRcpt: RecipientContext;
  /** Undefined: the match of lists with the header is unknown. */
  readonly atMessage: RecipientContext | undefined;
}

/** The result for a recipient at one stage. */
interface Judged {
  readonly findings: readonly Finding[];
  readonly unknown?: Why;
  /** Refused by the checks without look-ups, so no name server was asked. */
  readonly isUnasked?: true;
}

/** Whether an earlier recipient caused look-ups. */
type Asks = 'no' | 'yes' | 'unknown';

export function createReplay(snapshot: SettingsSnapshot, checks: readonly Check[] = CHECKS): Replay {
  const checkPlan = plan(checks);
  const under: Under = {
    plan: checkPlan,
    policies: createPolicies(checkPlan, snapshot),
    rules: grantRules(snapshot),
    looking: lookingUnder(snapshot),
  };
  return (evidence) => replayUnder(under, evidence);
}

function replayUnder(under: Under, evidence: MessageEvidence): Replayed {
  const about = evidence['about'] as unknown as About | undefined;
  if (about?.version !== EVIDENCE_VERSION) return { recipients: [], unknown: 'version' };
  const recipients = Object.entries((evidence['recipients'] ?? {}) as Readonly<Record<string, Evidence>>).map(
    ([address, seen]) => readRecipient(address, seen, about, under.rules),
  );
  // The header is read when the checks of the message begin, and lists were not matched with it.
  const contexts = recipients.filter(({ seen }) => seen['refused'] === undefined).map(({ atRcpt }) => atRcpt);
  const spf = about.isRelay ? wouldLook(under, about, 'spfRelayed', contexts) : wouldLook(under, about, 'spf');
  const other = elsewhere(evidence, about, under.looking, spf, wouldLook(under, about, 'dkim', contexts));
  if (other.whole)
    return { recipients: recipients.map(({ address }) => unknownTo(address, other.whole!)), unknown: other.whole };
  return stages({ ...under, evidence, about, recipients, other });
}

function readRecipient(address: string, seen: Evidence, about: About, rules: GrantRules): StoredRecipient {
  const resolve = (name: string): RecipientContext => {
    const stored = seen[name] as unknown as RecipientContext;
    return withGrants(stored, stored.granted ?? NOTHING_GRANTED, about.client, rules);
  };
  const who = resolve('who');
  const atRcpt = seen['whoAtRcpt'] ? resolve('whoAtRcpt') : who;
  const sawHeader = about.hasMessage && !(who.granted?.isUnasked ?? false);
  return { address, seen, atRcpt, atMessage: sawHeader ? who : undefined };
}

/** Whether a check would observe this sender; `contexts`: and for one of these recipients. */
function wouldLook(
  { plan, policies }: Under,
  { sender }: About,
  id: string,
  contexts?: readonly RecipientContext[],
): boolean {
  const index = plan.indexOf.get(id);
  if (index === undefined || isSparedByAll(plan.checks[index]!, policies.everybody, index, sender)) return false;
  const isMade = [...Object.values(policies.starts), policies.uponRecipient].some((some) => some.includes(index));
  return isMade && (contexts?.some((one) => asksFor(policies, index, one)) ?? true);
}

function asksFor(policies: Policies, index: number, context: RecipientContext): boolean {
  const policy = policies.of(context.policyDomain).checks[index]!;
  return policy.enabled && !isExempt(policy, context);
}

function isSparedByAll(check: Check, everybody: DomainPolicy, index: number, sender: About['sender']): boolean {
  return check.lazy === true && spares(everybody.checks[index]!.exempt, sender);
}

function stages(subject: Subject): Replayed {
  const early = refusedEarly(subject);
  if (early) return { recipients: subject.recipients.map(({ address }) => refusedBy(address, [early], early)) };
  let asks: Asks = 'no';
  const atRcpt = subject.recipients.map((recipient): ReplayedRecipient => {
    const judged = judgeRcpt(subject, recipient, asks);
    if (!judged.isUnasked && asks !== 'yes') asks = judged.unknown ? 'unknown' : 'yes';
    if (judged.unknown) return { ...unknownTo(recipient.address, judged.unknown), findings: judged.findings };
    const refusing = refusal(judged.findings);
    if (refusing) return refusedBy(recipient.address, judged.findings, refusing);
    return { address: recipient.address, findings: judged.findings };
  });
  return { recipients: subject.about.hasMessage ? withMessage(subject, atRcpt) : atRcpt.map(withoutMessage) };
}

/** Checks of the whole server at MAIL. */
function refusedEarly({ plan, policies, recipients }: Subject): Finding | undefined {
  const [first] = recipients;
  if (!first) return undefined;
  const findings = plan.answers.mail.flatMap((index) => {
    const check = plan.checks[index]!;
    const observed = first.seen[check.id] as Evidence | undefined;
    const policy = policies.everybody.checks[index]!;
    return observed ? judgeOne(check, policy, observed, undefined, priorFindingsOf(plan.suspects, [])) : [];
  });
  return refusal(findings);
}

/** A recipient refused by the checks without look-ups is refused whatever the others find (session/recipient.ts). */
function judgeRcpt(subject: Subject, recipient: StoredRecipient, asks: Asks): Judged {
  const { plan, rules, other, about } = subject;
  const { granted } = recipient.atRcpt;
  const isListed = granted?.listing !== undefined || granted?.unprovenListing !== undefined;
  if (granted?.isUnasked && (rules.provenAddresses || !isListed)) return judgeUnasked(subject, recipient);
  // A result known without look-ups depends on no proof.
  const isProofOpen = other.proof.rcpt && recipient.seen['refused'] !== 'unasked';
  if (isListed && isProofOpen && rules.provenAddresses) return { findings: [], unknown: 'looking' };
  const all = judgeStage(subject, 'rcpt', plan.answers.rcpt, recipient, recipient.atRcpt);
  if (asks === 'yes') return all;
  const unasked = judgeStage(subject, 'rcpt', unaskedOf(plan), recipient, recipient.atRcpt);
  if (unasked.unknown || !refusal(unasked.findings)) return all;
  // Look-ups may have deferred a recipient for which lists were unknown before.
  const isSame = !all.unknown && refusal(all.findings)?.check === refusal(unasked.findings)?.check;
  // Whether that depended on lists was known then, or there were none.
  const isKnown = isSame || (asks === 'no' && (!about.hasLists || recipient.seen['refused'] === 'unasked'));
  return isKnown ? { ...unasked, isUnasked: true } : { findings: all.findings, unknown: 'not-observed' };
}

/** Lists were unknown: a recipient is refused if it is refused without them, and with all of them in favour. */
function judgeUnasked(subject: Subject, recipient: StoredRecipient): Judged {
  const { listed: _, listing: __, granted: ___, ...bare } = recipient.atRcpt;
  const indexes = unaskedOf(subject.plan);
  const judged = judgeStage(subject, 'rcpt', indexes, recipient, bare);
  const best = judgeStage(subject, 'rcpt', indexes, recipient, favoured(bare));
  const isRefused = !judged.unknown && !best.unknown && refusal(judged.findings) && refusal(best.findings);
  return isRefused ? { ...judged, isUnasked: true } : { findings: judged.findings, unknown: 'not-observed' };
}

function unaskedOf({ answers, uponRecipient }: Plan): readonly number[] {
  return answers.rcpt.filter((index) => !uponRecipient.includes(index));
}

function judgeStage(
  { plan, policies, evidence, about, other }: Subject,
  stage: 'rcpt' | 'message',
  indexes: readonly number[],
  { seen }: StoredRecipient,
  context: RecipientContext,
  before: readonly Finding[] = [],
): Judged {
  const { checks } = policies.of(context.policyDomain);
  const findings: Finding[] = [];
  let unknown: Why | undefined;
  for (const index of indexes) {
    const check = plan.checks[index]!;
    const policy = checks[index]!;
    if (!policy.enabled || isExempt(policy, context)) continue;
    if (isSparedByAll(check, policies.everybody, index, about.sender)) continue;
    const isOwn = stage === 'rcpt' ? plan.starts.rcpt.includes(index) : !plan.common.message.includes(index);
    const observed = (isOwn ? seen : evidence)[check.id] as Evidence | undefined;
    if (other.checks.has(check.id)) unknown ??= 'looking';
    else if (!observed || (check.lazy && wasSpared(observed))) unknown ??= 'not-observed';
    else {
      const prior = priorFindingsOf(plan.suspects, [...before, ...findings]);
      findings.push(...judgeOne(check, policy, observed, context, prior));
    }
  }
  return { findings, ...(unknown && { unknown }) };
}

function withoutMessage(recipient: ReplayedRecipient): ReplayedRecipient {
  if (recipient.unknown || recipient.disposition) return recipient;
  const deciding = strongest(recipient.findings);
  return { ...recipient, ...(deciding && { deciding }), disposition: dispositionOf(deciding), atLeast: true };
}

/** The message stage for the recipients that RCPT accepts. */
function withMessage(subject: Subject, atRcpt: readonly ReplayedRecipient[]): readonly ReplayedRecipient[] {
  const { plan, rules, other, about } = subject;
  const judged = atRcpt.map((one, index): ReplayedRecipient => {
    const recipient = subject.recipients[index]!;
    if (one.unknown || one.disposition) return one;
    const { atMessage } = recipient;
    const isListed = atMessage?.granted?.listing !== undefined || atMessage?.granted?.unprovenListing !== undefined;
    if (
      !atMessage ||
      (about.hasLists && isRefusedThen(recipient)) ||
      (isListed && other.proof.message && rules.provenAddresses)
    )
      return unknownTo(one.address, 'not-observed');
    const stage = judgeStage(subject, 'message', plan.answers.message, recipient, atMessage, one.findings);
    const findings = [...one.findings, ...stage.findings];
    return { address: one.address, findings, ...(stage.unknown && { unknown: stage.unknown }) };
  });
  const present = judged.filter(({ disposition }) => disposition === undefined);
  // An unknown result for one recipient may defer all, or keep a message that all others refuse.
  const [lost] = present.filter(({ unknown }) => unknown);
  if (lost) return judged.map((one) => (one.disposition || one.unknown ? one : { ...one, unknown: lost.unknown! }));
  const deciding = present.map(({ findings }) => strongest(findings));
  const decision = decide(deciding, about.sender, plan.ids);
  let next = 0;
  return judged.map((one): ReplayedRecipient => {
    if (one.disposition) return one;
    const own = deciding[next];
    const kind = decision.kind === 'reply' ? replied(decision.reply.code) : decision.dispositions[next]!.kind;
    next++;
    const by = own ?? (decision.kind === 'reply' ? deciding.find((finding) => finding?.action === 'defer') : undefined);
    return { ...one, disposition: kind, ...(by && { deciding: by }) };
  });
}

/** Lists were never matched with the header for it. */
function isRefusedThen({ seen }: StoredRecipient): boolean {
  return seen['refused'] !== undefined;
}

function refusedBy(address: string, findings: readonly Finding[], deciding: Finding): ReplayedRecipient {
  return { address, findings, deciding, disposition: deciding.action === 'defer' ? 'defer' : 'refuse' };
}

function unknownTo(address: string, unknown: Why): ReplayedRecipient {
  return { address, findings: [], unknown };
}

function replied(code: number): ReplayedDisposition {
  return code < 500 ? 'defer' : 'refuse';
}

function dispositionOf(deciding: Finding | undefined): ReplayedDisposition {
  const { action } = deciding ?? {};
  if (action === undefined || action === 'accept') return 'accept';
  return action.startsWith('quarantine') ? 'hold' : (action as ReplayedDisposition);
}
