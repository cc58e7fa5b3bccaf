/**
 * Screening of one SMTP session: `Screen` as receive sees it.
 *
 * Each method answers its stage, at once where nothing has to wait. A transaction keeps one snapshot
 * of the settings from MAIL to its end, so that no message sees two states of them.
 */
import type { Directory, Resolution } from '../directory/contract.ts';
import type { Correspondents } from '../directory/correspondents.ts';
import type { Identities } from '../directory/identities.ts';
import type { NetworkTable } from '../directory/rules/network-table.ts';
import type { SenderRules } from '../directory/rules/rules.ts';
import { networksOf } from '../directory/rules/shields.ts';
import type { SenderGrants } from '../directory/send-as.ts';
import type { ReversePath } from '../model/address.ts';
import type { ContentRef } from '../model/content.ts';
import type { Envelope, MailParameters, Recipient } from '../model/envelope.ts';
import { invariant } from '../model/errors.ts';
import type { Evidence, Finding } from '../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { SessionFacts } from '../model/session.ts';
import { looksLikeRelay } from '../protocol/smtp/address.ts';
import type { Settings } from '../settings/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { Resolver } from '../world/resolver.ts';
import { type Check, NOTHING, type Views, type Who } from './check.ts';
import type { RecipientVerdict, Screen, ScreenSession, StageVerdict } from './contract.ts';
import { replyOf, strongest } from './decide.ts';
import { judge, type Observations, type Plan, plan, settle, start } from './engine.ts';
import { readHeader } from './header.ts';
import { CHECKS } from './index.ts';
import { type ScreenedMessage, screenMessage } from './message.ts';
import { createNatWatch, type NatWatch } from './nat.ts';
import { type PendingSender, screenPending } from './pending.ts';
import { createPolicies, type Policies } from './policies.ts';
import { relaySettings, screenOwnSettings, shieldSettings } from './settings.ts';
import { standing } from './standing.ts';
import {
  authorOf,
  identifySender,
  isTrusted,
  resolveRecipient,
  type Sender,
  type SenderSources,
  whoIs,
} from './who.ts';

export interface ScreenServices {
  readonly clock: Clock;
  readonly events: Events;
  readonly resolver: Resolver;
  readonly directory: Directory;
  readonly settings: Settings;
  /** Who belongs to us. */
  readonly identities: () => MaybePromise<Identities>;
  /** Whom we write to. */
  readonly correspondents: Correspondents;
  /** Whom an account may write as. */
  readonly grants: SenderGrants;
  /** What the operator said of senders: lists and pairs. */
  readonly senderRules: SenderRules;
  /** This machine's default gateways, whose address is everybody's in a container. */
  readonly gateways?: readonly string[];
  readonly hostname: string;
}

/** What a transaction remembers between MAIL and the end of data. */
export interface Transaction {
  readonly facts: SessionFacts;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly policies: Policies;
  readonly boundMs: number;
  readonly sender: MaybePromise<Sender>;
  readonly sources: SenderSources;
  /** The sender, where the header decides who it is. */
  pending?: PendingSender;
  /** The client's confirmed names, once a list has asked for them. */
  names?: Promise<readonly string[]>;
  /** What was seen of the session and at MAIL, later of the message. */
  readonly observations: Observations;
  readonly recipients: AcceptedRecipient[];
  /** Findings of the message as a whole. */
  readonly findings: readonly Finding[];
}

export interface AcceptedRecipient {
  readonly recipient: Recipient;
  readonly who: Who;
  /** Whose personal lists count; empty where there is none. */
  readonly account: string;
  /** The transaction's, with what was seen at RCPT. */
  readonly observations: Observations;
  readonly findings: readonly Finding[];
}

/** What the stages of a session share. */
export interface Screening {
  readonly plan: Plan;
  readonly services: ScreenServices;
  readonly nat: NatWatch;
  policies(): Current;
}

/** What one snapshot of the settings says. */
interface Current {
  readonly policies: Policies;
  readonly boundMs: number;
  readonly presets: NetworkTable<true>;
  readonly serversRelay: boolean;
}

const CLEAR: StageVerdict = Object.freeze({ findings: NOTHING });
/** For whoever asks for a further hop from outside: no source is asked whether such a user exists. */
const NOT_ASKED: Resolution = Object.freeze({ kind: 'remote' });

export function createScreen(services: ScreenServices, checks: readonly Check[] = CHECKS): Screen {
  const checkPlan = plan(checks);
  let snapshot = services.settings.current();
  let current = policiesOf(checks, snapshot);
  const nat = createNatWatch(services.settings, services.events, services.gateways ?? NOTHING);
  const screening: Screening = {
    plan: checkPlan,
    services,
    nat,
    policies() {
      const now = services.settings.current();
      if (now !== snapshot) {
        snapshot = now;
        current = policiesOf(checks, now);
      }
      return current;
    },
  };
  return { session: (facts) => createSession(screening, facts), hidden: nat.found };
}

function policiesOf(checks: readonly Check[], snapshot: ReturnType<Settings['current']>): Current {
  return {
    policies: createPolicies(checks, snapshot),
    boundMs: snapshot.get(screenOwnSettings.messageSeconds) * 1000,
    presets: networksOf(snapshot.get(shieldSettings.presets)),
    serversRelay: snapshot.get(relaySettings.throughDomainServers),
  };
}

function createSession(screening: Screening, connected: SessionFacts): ScreenSession {
  const ofSession: Observations = new Array(screening.plan.checks.length).fill(undefined);
  let transaction: Transaction | undefined;
  return {
    connect() {
      screening.nat.count(connected);
      return early(screening, { stage: 'connect', facts: connected }, ofSession);
    },
    ehlo(facts) {
      screening.nat.greeted(facts);
      return early(screening, { stage: 'ehlo', facts }, ofSession);
    },
    mail(facts, reversePath, parameters) {
      const { policies, boundMs, presets, serversRelay } = screening.policies();
      const { directory, senderRules } = screening.services;
      const hidden = screening.nat.hides(facts);
      const sources = { directory, senderRules, presets: hidden ? undefined : presets, hidden, serversRelay };
      const observations = ofSession.slice();
      // Asked now, needed at the first RCPT: a name server has a round trip's time to answer.
      const sender = identifySender(sources, facts, reversePath);
      // Without a RCPT nobody awaits it, and what it rejects with would end the process.
      if (isPromise(sender)) sender.catch(() => {});
      const isHidden = hidden !== undefined;
      const view = { stage: 'mail', facts, reversePath, parameters, sender, isHidden } as const;
      return andThen(early(screening, view, observations), (said) => {
        transaction = undefined;
        if (said.refusal) return said;
        const { findings } = said;
        transaction = {
          facts,
          reversePath,
          parameters,
          policies,
          boundMs,
          sender,
          sources,
          observations,
          recipients: [],
          findings,
        };
        return said;
      });
    },
    recipient(recipient) {
      invariant(transaction, 'screening of a recipient without a transaction');
      return screenRecipient(screening, transaction, recipient);
    },
    haveOnePolicy(one, other) {
      invariant(transaction, 'policies compared without a transaction');
      return transaction.policies.areAlike(one, other, screening.plan.answers.message);
    },
    message(envelope, content) {
      invariant(transaction, 'screening of a message without a transaction');
      return screenContent(screening, transaction, envelope, content);
    },
  };
}

/** Before RCPT: global settings, and only checks of the whole server answer. */
function early(
  { plan, services, policies }: Screening,
  view: Views['connect' | 'ehlo' | 'mail'],
  observations: Observations,
): MaybePromise<StageVerdict> {
  if (plan.starts[view.stage].length === 0) return CLEAR;
  const { boundMs, policies: byDomain } = policies();
  start(plan, view, services, observations, byDomain.of(''), byDomain.mayBeAsked);
  return andThen(settle(plan, view.stage, observations, boundMs, services), () => {
    const findings = judge(plan, view.stage, observations, byDomain.of(''), undefined, services);
    if (findings.length === 0) return CLEAR;
    const refusing = refusal(findings);
    return refusing ? { findings, refusal: replyOf(refusing) } : { findings };
  });
}

function refusal(findings: readonly Finding[]): Finding | undefined {
  const deciding = strongest(findings);
  return deciding?.action === 'refuse' || deciding?.action === 'defer' ? deciding : undefined;
}

/** Pushes who is accepted to the transaction's recipients. */
export function screenRecipient(
  screening: Screening,
  transaction: Transaction,
  recipient: Recipient,
): MaybePromise<RecipientVerdict> {
  const { directory } = screening.services;
  return andThen(transaction.sender, (sender) =>
    andThen(resolveUnlessHop(directory, recipient, sender), (resolution) =>
      judgeRecipient(screening, transaction, recipient, sender, resolution),
    ),
  );
}

function resolveUnlessHop(directory: Directory, { address }: Recipient, sender: Sender): MaybePromise<Resolution> {
  return looksLikeRelay(address) && !isTrusted(sender.kind) ? NOT_ASKED : resolveRecipient(directory, address);
}

function judgeRecipient(
  screening: Screening,
  transaction: Transaction,
  recipient: Recipient,
  sender: Sender,
  resolution: Resolution,
): MaybePromise<RecipientVerdict> {
  const account = resolution.kind === 'local' ? (resolution.account?.address ?? '') : '';
  const { plan, services } = screening;
  const spf = evidenceOf(plan, transaction.observations, 'spf');
  const who = whoIs(recipient.address, resolution, sender);
  return andThen(
    andThen(spf, (seen) => standing(services, transaction, sender, who, account, { spf: seen })),
    (known) => judgeKnown(screening, transaction, recipient, sender, resolution, known, account),
  );
}

/** What a check saw; undefined: nothing. */
export function evidenceOf(plan: Plan, observations: Observations, check: string): MaybePromise<Evidence | undefined> {
  const index = plan.indexOf.get(check);
  const observed = index === undefined ? undefined : observations[index];
  return observed && andThen(observed, ({ evidence }) => evidence);
}

function judgeKnown(
  { plan, services }: Screening,
  transaction: Transaction,
  recipient: Recipient,
  sender: Sender,
  resolution: Resolution,
  who: Who,
  account: string,
): MaybePromise<RecipientVerdict> {
  const { facts, reversePath, parameters, policies, boundMs } = transaction;
  if (sender.pending) transaction.pending = sender as PendingSender;
  const observations = transaction.observations.slice();
  const view = { stage: 'rcpt', facts, reversePath, parameters, sender, recipient, who, resolution } as const;
  start(plan, view, services, observations, policies.of(''));
  return andThen(settle(plan, 'rcpt', observations, boundMs, services), () => {
    // What is common to all recipients and has been waited for need not be waited for again.
    for (const index of plan.common.rcpt) transaction.observations[index] = observations[index];
    const findings = judge(plan, 'rcpt', observations, policies.of(who.policyDomain), who, services);
    const refusing = findings.length > 0 ? refusal(findings) : undefined;
    if (refusing) return { accepted: false, reply: replyOf(refusing), findings };
    transaction.recipients.push({ recipient, who, account, observations, findings });
    return {
      accepted: true,
      recipient,
      direction: who.direction,
      trusted: isTrusted(sender.kind),
      author: authorOf(sender, facts),
      policyDomain: who.policyDomain,
      targets: targetsOf(recipient, resolution),
      viaAlias: resolution.kind === 'local' && resolution.viaAlias,
      findings,
    };
  });
}

function targetsOf({ address }: Recipient, resolution: Resolution) {
  return resolution.kind === 'local' || resolution.kind === 'role' ? resolution.targets : [address];
}

function screenContent(
  screening: Screening,
  transaction: Transaction,
  envelope: Envelope,
  content: ContentRef,
): MaybePromise<ScreenedMessage> {
  return andThen(readHeader(content), (header) =>
    transaction.pending
      ? screenPending(screening, transaction, transaction.pending, envelope, content, header)
      : screenMessage(screening, transaction, envelope, content, header),
  );
}
