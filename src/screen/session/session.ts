/**
 * Screening of one SMTP session: implements `Screen` for receive.
 *
 * Each method answers its stage, at once if nothing has to wait. A transaction keeps one snapshot of the settings
 * from MAIL to its end, so that no message sees two states of them.
 */

import type { Correspondents } from '../../directory/addresses/correspondents.ts';
import type { Identities } from '../../directory/addresses/identities.ts';
import type { SenderGrants } from '../../directory/addresses/send-as.ts';
import type { Directory } from '../../directory/contract.ts';
import type { SenderRules } from '../../directory/rules/rules.ts';
import type { ReversePath } from '../../model/address.ts';
import type { ContentRef } from '../../model/content.ts';
import type { Envelope, MailParameters, Recipient } from '../../model/envelope.ts';
import { invariant } from '../../model/errors.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { SessionFacts } from '../../model/session.ts';
import type { Settings } from '../../settings/contract.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { OwnedResolver, SharingResolver } from '../../world/resolver.ts';
import { type NetworkSet, relaysOf } from '../checks/origin/spf/relays.ts';
import type { RecipientVerdict, Screen, ScreenSession, StageVerdict } from '../contract.ts';
import { type Check, NOTHING, type RecipientContext, type Views } from '../engine/check.ts';
import { replyOf, strongest } from '../engine/decide.ts';
import { copyOf, joined, judge, noObservations, type Observations, settle, start } from '../engine/engine.ts';
import { type Plan, plan } from '../engine/plan.ts';
import { createPolicies, type Policies } from '../engine/policies.ts';
import { createRuns, endRuns, type Runs } from '../engine/runs.ts';
import { CHECKS } from '../index.ts';
import { type Looked, lookedBy } from '../looking.ts';
import { type GrantRules, grantRules } from '../sender/grants.ts';
import { createNatWatch, type NatWatch } from '../sender/nat.ts';
import { identifySender, type Sender, type SenderSources } from '../sender/recipient-context.ts';
import { relaySettings, screenOwnSettings } from '../settings.ts';
import { evidenceAtRcpt } from './evidence.ts';
import { type ReadHeader, readHeader } from './header.ts';
import { lookUpOwner, SHORT_OF_LOOK_UPS } from './look-ups.ts';
import { type ScreenedMessage, screenMessage } from './message.ts';
import { type PendingSender, screenPending } from './pending.ts';
import { screenRecipient } from './recipient.ts';

export interface ScreenServices {
  readonly clock: Clock;
  readonly events: Events;
  readonly resolver: SharingResolver;
  readonly directory: Directory;
  readonly settings: Settings;
  /** Our domains, accounts and people. */
  readonly identities: () => MaybePromise<Identities>;
  /** The domains that we write to. */
  readonly correspondents: Correspondents;
  /** The addresses that an account may write as. */
  readonly grants: SenderGrants;
  /** The operator's rules about senders: lists and pairs. */
  readonly senderRules: SenderRules;
  /** This machine's default gateways, whose address many clients share in a container. */
  readonly gateways?: readonly string[];
  readonly hostname: string;
}

/** The state of a transaction between MAIL and the end of data. */
export interface ScreenedTransaction {
  readonly facts: SessionFacts;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly policies: Policies;
  readonly rules: GrantRules;
  readonly boundMs: number;
  readonly sender: MaybePromise<Sender>;
  readonly sources: SenderSources;
  readonly looked: Looked | undefined;
  readonly isRelay: boolean;
  /** The sender, once it was awaited. */
  known: Sender | undefined;
  /** The sender, if it depends on the header. */
  pending: PendingSender | undefined;
  /** The checks without look-ups accepted a recipient: from then on name servers are asked. */
  asks: boolean;
  /** The client's confirmed names, once a list needed them. */
  names: Promise<readonly string[]> | undefined;
  /** Observations of the session and of MAIL, later of the message. */
  readonly observations: Observations;
  readonly recipients: AcceptedRecipient[];
  /** In order of RCPT, the accepted and the refused, the latter up to a bound. */
  readonly asked: AskedRecipient[];
  refused: number;
  /** Findings of the message as a whole. */
  findings: readonly Finding[];
}

export interface AcceptedRecipient {
  readonly recipient: Recipient;
  readonly context: RecipientContext;
  /** The owner of the personal lists that count; empty if there is none. */
  readonly account: string;
  /** The transaction's, with those of RCPT. */
  readonly observations: Observations;
  /** The same in their state after RCPT. */
  readonly atRcpt: Observations;
  readonly findings: readonly Finding[];
}

/** A recipient of RCPT, for the log. */
export interface AskedRecipient extends Pick<AcceptedRecipient, 'context' | 'atRcpt'> {
  /** Before any look-up, or with look-ups. */
  readonly refused?: 'unasked' | 'asked';
}

/** A recipient without findings yet. */
export type Present = Omit<AcceptedRecipient, 'findings' | 'atRcpt'>;

/** The same, with the share of look-ups of a session or a transaction, and its running checks. */
export type SharedServices = Omit<ScreenServices, 'resolver'> & {
  readonly resolver: OwnedResolver;
  readonly runs: Runs;
};

/** What the stages of a transaction share. */
export interface Screening extends Omit<Screens, 'services'> {
  readonly services: SharedServices;
}

/** What all sessions share. */
interface Screens {
  readonly plan: Plan;
  readonly services: ScreenServices;
  readonly nat: NatWatch;
  current(): Current;
}

/** Everything derived from one snapshot of the settings. */
interface Current {
  readonly policies: Policies;
  readonly boundMs: number;
  readonly rules: GrantRules;
  readonly serversRelay: boolean;
  readonly looked: Looked | undefined;
  readonly relays: NetworkSet;
}

const CLEAR: StageVerdict = Object.freeze({ findings: NOTHING });

export function createScreen(services: ScreenServices, checks: readonly Check[] = CHECKS): Screen {
  const checkPlan = plan(checks);
  let snapshot = services.settings.current();
  let current = currentOf(checkPlan, snapshot);
  const nat = createNatWatch(services.settings, services.events, services.gateways ?? NOTHING);
  const screens: Screens = {
    plan: checkPlan,
    services,
    nat,
    current() {
      const now = services.settings.current();
      if (now !== snapshot) {
        snapshot = now;
        current = currentOf(checkPlan, now);
      }
      return current;
    },
  };
  return { session: (facts) => new ScreenedSession(screens, facts), hidden: nat.found };
}

export function currentOf(checkPlan: Plan, snapshot: ReturnType<Settings['current']>): Current {
  return {
    policies: createPolicies(checkPlan, snapshot),
    boundMs: snapshot.get(screenOwnSettings.messageSeconds) * 1000,
    rules: grantRules(snapshot),
    serversRelay: snapshot.get(relaySettings.throughDomainServers),
    looked: lookedBy(snapshot),
    relays: relaysOf(snapshot),
  };
}

/** A class, as there is one for each connection: only its state is created for each. */
class ScreenedSession implements ScreenSession {
  readonly #screens: Screens;
  readonly #connected: SessionFacts;
  readonly #ofSession: Observations;
  /** Of the transaction, once there is one. */
  #screening: Screening;
  #transaction: ScreenedTransaction | undefined;

  constructor(screens: Screens, connected: SessionFacts) {
    this.#screens = screens;
    this.#connected = connected;
    this.#ofSession = noObservations(screens.plan);
    this.#screening = sharing(screens, connected);
  }

  connect(): MaybePromise<StageVerdict> {
    this.#screens.nat.count(this.#connected);
    return early(this.#screening, { stage: 'connect', facts: this.#connected }, this.#ofSession);
  }

  ehlo(facts: SessionFacts): MaybePromise<StageVerdict> {
    this.#screens.nat.greeted(facts);
    // A greeting ends the transaction (RFC 5321 4.1.4), and its look-ups with it.
    this.reset();
    this.#screening = sharing(this.#screens, facts);
    return early(this.#screening, { stage: 'ehlo', facts }, this.#ofSession);
  }

  mail(facts: SessionFacts, reversePath: ReversePath, parameters: MailParameters): MaybePromise<StageVerdict> {
    this.reset();
    this.#screening = sharing(this.#screens, facts);
    const transaction = beginTransaction(this.#screening, copyOf(this.#ofSession), facts, reversePath, parameters);
    const { sender, sources, observations } = transaction;
    const isHidden = sources.hidden !== undefined;
    const view = { stage: 'mail', facts, reversePath, parameters, sender, isHidden } as const;
    const said = early(this.#screening, view, observations);
    return isPromise(said) ? said.then((late) => this.#begun(transaction, late)) : this.#begun(transaction, said);
  }

  #begun(transaction: ScreenedTransaction, said: StageVerdict): StageVerdict {
    transaction.findings = said.findings;
    this.#transaction = said.refusal ? undefined : transaction;
    return said;
  }

  recipient(recipient: Recipient): MaybePromise<RecipientVerdict> {
    invariant(this.#transaction, 'screening of a recipient without a transaction');
    return screenRecipient(this.#screening, this.#transaction, recipient);
  }

  haveOnePolicy(one: string, other: string): boolean {
    invariant(this.#transaction, 'policies compared without a transaction');
    return this.#transaction.policies.areAlike(one, other, this.#screening.plan.answers.message);
  }

  message(envelope: Envelope, content: ContentRef): MaybePromise<ScreenedMessage> {
    invariant(this.#transaction, 'screening of a message without a transaction');
    const screening = this.#screening;
    // Decided: results that are still pending are not needed.
    return andThen(screenContent(screening, this.#transaction, envelope, content), (decided) => {
      endRuns(screening.services);
      return decided;
    });
  }

  observed(): Readonly<Record<string, Evidence>> {
    const transaction = this.#transaction;
    return transaction ? evidenceAtRcpt(this.#screening, transaction) : {};
  }

  reset(): void {
    endRuns(this.#screening.services);
  }
}

function sharing(screens: Screens, facts: SessionFacts): Screening {
  const { services } = screens;
  const resolver = services.resolver.for(lookUpOwner(facts));
  return { ...screens, services: { ...services, resolver, runs: createRuns() } };
}

function beginTransaction(
  { services, nat, current }: Screening,
  observations: Observations,
  facts: SessionFacts,
  reversePath: ReversePath,
  parameters: MailParameters,
): ScreenedTransaction {
  const { policies, boundMs, rules, serversRelay, looked, relays } = current();
  const { directory, senderRules } = services;
  const hidden = nat.hides(facts);
  const sources = { directory, senderRules, hidden, serversRelay };
  // Started now, needed at the first RCPT: a name server has one round trip's time to answer.
  const sender = identifySender(sources, facts, reversePath);
  // Without a RCPT nobody awaits it, and a rejection would end the process.
  if (isPromise(sender)) sender.catch(() => {});
  return {
    facts,
    reversePath,
    parameters,
    policies,
    rules,
    boundMs,
    sender,
    sources,
    looked,
    isRelay: relays.has(facts.client.address),
    known: undefined,
    pending: undefined,
    asks: false,
    names: undefined,
    observations,
    recipients: [],
    asked: [],
    refused: 0,
    findings: NOTHING,
  };
}

/** Before RCPT: global settings, and only checks of the whole server answer. */
function early(
  { plan, services, current }: Screening,
  view: Views['connect' | 'ehlo' | 'mail'],
  observations: Observations,
): MaybePromise<StageVerdict> {
  const { stage } = view;
  if (plan.starts[stage].length === 0) return CLEAR;
  const { boundMs, policies } = current();
  start(plan, view, services, observations, policies);
  const settled = settle(plan, stage, observations, boundMs, services);
  const answer = (): StageVerdict =>
    verdictOf(orShort(services, judge(plan, stage, observations, policies.everybody, undefined, services)));
  return settled ? settled.then(answer) : answer();
}

/** Findings made without enough look-ups are replaced. */
export function orShort({ resolver }: SharedServices, findings: readonly Finding[]): readonly Finding[] {
  return resolver.isShort() ? joined(SHORT_OF_LOOK_UPS, findings) : findings;
}

function verdictOf(findings: readonly Finding[]): StageVerdict {
  if (findings.length === 0) return CLEAR;
  const refusing = refusal(findings);
  return refusing ? { findings, refusal: replyOf(refusing) } : { findings };
}

export function refusal(findings: readonly Finding[]): Finding | undefined {
  const deciding = strongest(findings);
  return deciding?.action === 'refuse' || deciding?.action === 'defer' ? deciding : undefined;
}

function screenContent(
  screening: Screening,
  transaction: ScreenedTransaction,
  envelope: Envelope,
  content: ContentRef,
): MaybePromise<ScreenedMessage> {
  const screen = (header: ReadHeader): MaybePromise<ScreenedMessage> =>
    transaction.pending
      ? screenPending(screening, transaction, transaction.pending, envelope, content, header)
      : screenMessage(screening, transaction, envelope, content, header);
  const header = readHeader(content, transaction.facts.id);
  return isPromise(header) ? header.then(screen) : screen(header);
}
