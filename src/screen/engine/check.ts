/**
 * What a check is: one definition with two halves (architecture, section 5).
 *
 * `observe` runs once a session, message or recipient, and may do I/O; its result is evidence, plain JSON that is
 * stored with the message. `judge` is pure: for each recipient, with the settings of the policy domain, it decides
 * what the evidence means. So a changed setting can be tried on past mail by judging again.
 *
 * The parts that most checks share (on or off, action, score, exemptions, per-domain values) are declared in `policy`
 * and exist once, in policies.ts and engine.ts.
 */

import type { Correspondents } from '../../directory/addresses/correspondents.ts';
import type { Identities } from '../../directory/addresses/identities.ts';
import type { SenderGrants } from '../../directory/addresses/send-as.ts';
import type { Directory, Resolution } from '../../directory/contract.ts';
import type { Listing } from '../../directory/rules/lists.ts';
import type { SenderRules } from '../../directory/rules/rules.ts';
import type { ReversePath } from '../../model/address.ts';
import type { ContentRef, HeaderEdit } from '../../model/content.ts';
import type { Envelope, MailParameters, Recipient } from '../../model/envelope.ts';
import type { Action, Direction, Evidence, Finding, Outcome, Stage } from '../../model/finding.ts';
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import type { SessionFacts } from '../../model/session.ts';
import type { HeaderFacts } from '../../protocol/mime/types.ts';
import type { Settings } from '../../settings/contract.ts';
import type { SettingDefinition } from '../../settings/define.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import type { OwnedResolver } from '../../world/resolver.ts';
import type { Verification } from '../checks/origin/verification.ts';
import type { Granted } from '../sender/grants.ts';
import type { Sender } from '../sender/recipient-context.ts';
import type { Shielding } from '../sender/shielding.ts';

/** No check observes at AUTH so far. */
export type CheckStage = Exclude<Stage, 'auth'>;

/**
 * The kind of sender, by how far it is trusted. `shielded`: a local sender from a network that an operator paired
 * with its domain. `cannot-tell`: the DNS would decide, and does not answer.
 */
export type SenderKind = 'authenticated' | 'domain-server' | 'shielded' | 'stranger' | 'cannot-tell';

/** The facts of a recipient for `judge`: plain, since they are stored for the replay. */
export interface RecipientContext {
  readonly address: string;
  readonly direction: Direction;
  readonly sender: SenderKind;
  /** Empty for the bare `<postmaster>`: global settings apply. */
  readonly policyDomain: string;
  /** postmaster or abuse. */
  readonly role: boolean;
  /** The exemptions that lists and pairs give the sender; absent if there are none. */
  readonly listed?: readonly GrantedExemption[];
  /** The entry of an allow or block list that counts, and where it matched first: the envelope or From. */
  readonly listing?: CountingEntry;
  /** The lists cannot be read now. */
  readonly listsUntold?: true;
  /** The source of the three above: data, of which settings decide what counts (sender/grants.ts). */
  readonly granted?: Granted;
}

/** `met`: where the entry matched first. */
export type CountingEntry = Listing & { readonly met: 'envelope' | 'header' };

interface SessionView {
  readonly facts: SessionFacts;
}

interface TransactionView extends SessionView {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly sender: MaybePromise<Sender>;
}

/** The input of `observe` at each stage. */
export interface Views {
  connect: SessionView & { readonly stage: 'connect' };
  ehlo: SessionView & { readonly stage: 'ehlo' };
  mail: TransactionView & {
    readonly stage: 'mail';
    /** The client's address is shared by many (sender/nat.ts). */
    readonly isHidden: boolean;
  };
  rcpt: TransactionView & {
    readonly stage: 'rcpt';
    readonly recipient: Recipient;
    /** Without lists and pairs: they may need the DNS. */
    readonly context: RecipientContext;
    readonly resolution: Resolution;
  };
  message: TransactionView & {
    readonly stage: 'message';
    readonly envelope: Envelope;
    readonly content: ContentRef;
    readonly header: HeaderFacts;
    /** The bytes of the message up to the end of its header, and perhaps more. */
    readonly head: Uint8Array;
    /**
     * The evidence of another check, from an earlier stage or declared before this one; undefined: none, or it
     * failed.
     */
    observed(check: string): MaybePromise<Evidence | undefined>;
    /** The verdict of IP shielding on a domain and this client. */
    shieldOf(domain: string): MaybePromise<Shielding>;
    /** Created by the first check that needs it (checks/origin/verification.ts). */
    verification?: Verification | undefined;
  };
}

export interface CheckServices {
  readonly clock: Clock;
  readonly events: Events;
  /** The transaction's share of look-ups; questions asked through it end when the check is stopped. */
  readonly resolver: OwnedResolver;
  /** Fires when the check is no longer awaited: at the bound, or as the session or transaction ends. */
  readonly signal: AbortSignal;
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
  /** The name of this node. */
  readonly hostname: string;
}

/** Senders and recipients that a check may exempt. */
export type Exemption = 'authenticated' | 'domainMailServer' | 'roleAddress' | 'allowListed' | 'ipShield';

/** Why a sender is exempt: the same, and a preset of IP shielding, which counts less than a pair that was entered. */
export type GrantedExemption = Exemption | 'ipShieldPreset';

/** The result of a check; the engine turns it into a Finding. */
export interface Said<Code extends string = string> {
  readonly code: Code;
  /** Default `fail`. */
  readonly outcome?: Outcome;
  /** Default: the code's sentence. */
  readonly text?: string;
  /** Default: the policy's action; without policy, `accept`. */
  readonly action?: Action;
  /** The new recipient, when `action` is redirect. */
  readonly redirectTo?: string;
  readonly score?: number;
  /** The reply to the sender when refused or deferred. Default: 550 5.7.1 or 451 4.7.1 with the text. */
  readonly reply?: Reply;
}

/** The findings of earlier checks about a recipient, for a check that weighs them. */
export interface PriorFindings {
  /** All scores so far, together. */
  readonly score: number;
  /** The first failed check that is a sign of forgery by itself. */
  readonly suspect?: string;
}

/** The fate of a message, for a check that records it. */
export interface Concluded {
  /** The message was refused or deferred as a whole: it was not accepted. */
  readonly answered: boolean;
  /** This check's own findings, of all recipients. */
  readonly findings: readonly Finding[];
}

/** The shared schema: a check that has it gets `<id>.enabled`, `.action`, `.score` and `.exempt`, each per domain unless it is server-wide. */
export interface CheckPolicyDefaults {
  readonly enabled: boolean;
  readonly action: PolicyAction;
  /** The quarantine that the action `quarantine` means. */
  readonly quarantine: 'user' | 'admin';
  readonly score: number;
  /** Its settings apply to the whole server: no domain has values of its own. */
  readonly serverWide?: true;
}

export type PolicyAction = 'refuse' | 'quarantine' | 'accept';

// biome-ignore lint/suspicious/noExplicitAny: settings of every type share one list
export type SettingDefinitions = Readonly<Record<string, SettingDefinition<any>>>;
export type SettingValues<G> = { readonly [K in keyof G]: G[K] extends SettingDefinition<infer T> ? T : never };

export interface CheckDefinition<S extends CheckStage, E extends Evidence, Code extends string, G> {
  readonly id: string;
  /** When it observes. More than one: the same question asked again when more is known. */
  readonly stage: S | readonly S[];
  /**
   * Its name servers are of the sender's choice: observation of MAIL begins with the first recipient that the checks
   * without look-ups accept, and never for a sender that names none.
   */
  readonly begins?: 'rcpt';
  /**
   * When it is judged; default: at the stage where it observed, but not before RCPT. `stage: 'mail', answers:
   * 'message'` starts early and is awaited late.
   */
  readonly answers?: 'rcpt' | 'message';
  /** `server`: judged at once with global settings, also before RCPT, and may refuse there. */
  readonly scope?: 'server';
  /** The page of the guide that it implements. */
  readonly guide: string;
  readonly exempt: readonly Exemption[];
  /** If `ipShield` is exempt, presets exempt from it as entered pairs do. */
  readonly presetsSpare?: true;
  /**
   * It fails closed: a defect in any half of it, or no answer in time, is a 451. False for checks that only annotate.
   */
  readonly protects: boolean;
  /** The check whose policy settings it shares; default: its own, under its id. */
  readonly settingsGroup?: string;
  /**
   * Expensive: not observed for a sender that the settings exempt, nor for a message none of whose recipients asks
   * for it. Then its evidence is `{made: false}`, and it is not judged.
   */
  readonly lazy?: true;
  /** Its failure alone is a sign of forgery. */
  readonly suspects?: true;
  /** Evidence with which it has no finding and no edit under any settings: this very object is not judged. */
  readonly clear?: E;
  /** The closed list of its codes, with the sentence for an administrator. */
  readonly codes: Readonly<Record<Code, string>>;
  readonly policy?: CheckPolicyDefaults;
  readonly settings: G;
  observe(view: Views[S], services: CheckServices): MaybePromise<E>;
  /** `context` is absent before RCPT. */
  judge(
    evidence: E,
    settings: SettingValues<G>,
    context: RecipientContext | undefined,
    prior: PriorFindings,
  ): readonly Said<Code>[];
  /** Header edits of the copies of a recipient that gets the message; equal edits should be the same list. */
  edits?(evidence: E, settings: SettingValues<G>, context: RecipientContext): readonly HeaderEdit[];
  /** Called once all recipients are decided: returns the evidence as it is stored. */
  conclude?(evidence: E, concluded: Concluded): E;
}

/** A check as the engine runs it: evidence goes from its own `observe` to its own `judge`, whatever its type. */
export type Check = Omit<
  CheckDefinition<CheckStage, Evidence, string, SettingDefinitions>,
  'clear' | 'observe' | 'judge' | 'edits' | 'conclude'
> & {
  readonly clear?: Evidence;
  observe(view: Views[CheckStage], services: CheckServices): MaybePromise<Evidence>;
  judge(
    evidence: Evidence,
    settings: Readonly<Record<string, unknown>>,
    context: RecipientContext | undefined,
    prior: PriorFindings,
  ): readonly Said[];
  edits?(
    evidence: Evidence,
    settings: Readonly<Record<string, unknown>>,
    context: RecipientContext,
  ): readonly HeaderEdit[];
  conclude?(evidence: Evidence, concluded: Concluded): Evidence;
};

export function defineCheck<
  const S extends CheckStage,
  E extends Evidence,
  const Code extends string,
  const G extends SettingDefinitions,
>(definition: CheckDefinition<S, E, Code, G>): Check {
  return Object.freeze({ ...UNSAID, ...definition }) as unknown as Check;
}

/** All checks have one form, so that the engine finds their members in the same places. */
const UNSAID: Readonly<Record<keyof Check, undefined>> = {
  id: undefined,
  stage: undefined,
  begins: undefined,
  answers: undefined,
  scope: undefined,
  guide: undefined,
  exempt: undefined,
  presetsSpare: undefined,
  protects: undefined,
  settingsGroup: undefined,
  lazy: undefined,
  suspects: undefined,
  clear: undefined,
  codes: undefined,
  policy: undefined,
  settings: undefined,
  observe: undefined,
  judge: undefined,
  edits: undefined,
  conclude: undefined,
};

/**
 * No finding: the usual case, and always the same object. Not frozen: it is part of evidence, and one frozen array
 * there makes the JSON of all the evidence three times as expensive.
 */
export const NOTHING: readonly never[] = [];
