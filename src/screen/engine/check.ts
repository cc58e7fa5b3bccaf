/**
 * What a check is: one definition with two halves (architecture, section 5).
 *
 * `observe` looks, once a session, message or recipient, and may ask the world; what it saw is
 * evidence, plain JSON that is stored with the message. `judge` is pure: for each recipient, with
 * the settings of the policy domain, it says what the evidence means. So a changed setting can be
 * tried on past mail by judging again.
 *
 * What most checks share (on or off, action, score, exemptions, per-domain values) is declared in
 * `policy` and exists once, in policies.ts and engine.ts.
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

/** AUTH is a stage too, once there is AUTH. */
export type CheckStage = Exclude<Stage, 'auth'>;

/**
 * Who sends, as far as trust goes. `shielded`: a local sender from a network that an operator paired with
 * its domain. `cannot-tell`: the DNS would have to say, and does not.
 */
export type SenderKind = 'authenticated' | 'domain-server' | 'shielded' | 'stranger' | 'cannot-tell';

/** What `judge` may know of a recipient: plain, since it is stored for the replay. */
export interface RecipientContext {
  readonly address: string;
  readonly direction: Direction;
  readonly sender: SenderKind;
  /** Empty for the bare `<postmaster>`: global settings apply. */
  readonly policyDomain: string;
  /** postmaster or abuse. */
  readonly role: boolean;
  /** What lists and pairs spare the sender; absent where none does. */
  readonly listed?: readonly GrantedExemption[];
  /** The entry of an allow or block list that counts, and what it met first: the envelope or From. */
  readonly listing?: CountingEntry;
  /** The lists cannot be read now. */
  readonly listsUntold?: true;
  /** What the three above come from: data, of which settings decide what counts (sender/grants.ts). */
  readonly granted?: Granted;
}

/** `met`: what the entry met first. */
export type CountingEntry = Listing & { readonly met: 'envelope' | 'header' };

interface SessionView {
  readonly facts: SessionFacts;
}

interface TransactionView extends SessionView {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly sender: MaybePromise<Sender>;
}

/** What `observe` sees at each stage. */
export interface Views {
  connect: SessionView & { readonly stage: 'connect' };
  ehlo: SessionView & { readonly stage: 'ehlo' };
  mail: TransactionView & {
    readonly stage: 'mail';
    /** The client's address is everybody's (sender/nat.ts). */
    readonly isHidden: boolean;
  };
  rcpt: TransactionView & {
    readonly stage: 'rcpt';
    readonly recipient: Recipient;
    /** Without what lists and pairs say: that may need the DNS. */
    readonly context: RecipientContext;
    readonly resolution: Resolution;
  };
  message: TransactionView & {
    readonly stage: 'message';
    readonly envelope: Envelope;
    readonly content: ContentRef;
    readonly header: HeaderFacts;
    /** The octets of the message as far as its header was read, and perhaps more. */
    readonly head: Uint8Array;
    /** What another check saw, at an earlier stage or declared before this one; undefined: nothing, or it failed. */
    observed(check: string): MaybePromise<Evidence | undefined>;
    /** What IP shielding says of a domain and this client. */
    shieldOf(domain: string): MaybePromise<Shielding>;
    /** Made by the first check that needs it (checks/origin/verification.ts). */
    verification?: Verification | undefined;
  };
}

export interface CheckServices {
  readonly clock: Clock;
  readonly events: Events;
  /** The transaction's share of look-ups; what a check asks through it ends when the check is stopped. */
  readonly resolver: OwnedResolver;
  /** Fires when nobody waits for the check any more: at the bound, or as the session or transaction ends. */
  readonly signal: AbortSignal;
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
  /** How this node calls itself. */
  readonly hostname: string;
}

/** Whom a check spares. */
export type Exemption = 'authenticated' | 'domainMailServer' | 'roleAddress' | 'allowListed' | 'ipShield';

/** What spares a sender: the same, and a preset of IP shielding, which is less than a pair that was entered. */
export type GrantedExemption = Exemption | 'ipShieldPreset';

/** What a check says; the engine makes a Finding of it. */
export interface Said<Code extends string = string> {
  readonly code: Code;
  /** Default `fail`. */
  readonly outcome?: Outcome;
  /** Default: the code's sentence. */
  readonly text?: string;
  /** Default: the policy's action; without policy, `accept`. */
  readonly action?: Action;
  /** Where to, when `action` is redirect. */
  readonly redirectTo?: string;
  readonly score?: number;
  /** What the sender is told when refused or deferred. Default: 550 5.7.1 or 451 4.7.1 with the text. */
  readonly reply?: Reply;
}

/** What the checks before said about a recipient, to a check that weighs it. */
export interface PriorFindings {
  /** All scores so far, together. */
  readonly score: number;
  /** The first failed check that is a sign of forgery by itself. */
  readonly suspect?: string;
}

/** What became of a message, to a check that records it. */
export interface Concluded {
  /** The message was refused or deferred as a whole: nothing was taken. */
  readonly answered: boolean;
  /** This check's own findings, of all recipients. */
  readonly findings: readonly Finding[];
}

/** The shared schema: a check that has it gets `<id>.enabled`, `.action`, `.score` and `.exempt`, each per domain unless it is server-wide. */
export interface CheckPolicyDefaults {
  readonly enabled: boolean;
  readonly action: PolicyAction;
  /** Whose quarantine the action `quarantine` means. */
  readonly quarantine: 'user' | 'admin';
  readonly score: number;
  /** Its settings are the server's: no domain has values of its own. */
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
   * Asks name servers of the sender's choice: what it observes of MAIL begins with the first recipient
   * whom the checks that ask nobody accept, and not for a sender who names none.
   */
  readonly begins?: 'rcpt';
  /**
   * When it is judged; default: where it observed, but not before RCPT. `stage: 'mail', answers:
   * 'message'` starts early and is awaited late.
   */
  readonly answers?: 'rcpt' | 'message';
  /** `server`: judged at once with global settings, also before RCPT, and may refuse there. */
  readonly scope?: 'server';
  /** The page of the guide that it answers. */
  readonly guide: string;
  readonly exempt: readonly Exemption[];
  /** Where `ipShield` is exempt, presets spare it as entered pairs do. */
  readonly presetsSpare?: true;
  /** It fails closed: a defect in any half of it, or no answer in time, is a 451. False for what only annotates. */
  readonly protects: boolean;
  /** Whose policy settings it shares; default: its own, under its id. */
  readonly settingsGroup?: string;
  /**
   * Dear to make: not observed for a sender whom the settings spare, nor for a message none of whose
   * recipients asks for it. Its evidence is `{made: false}` then, and it is not judged.
   */
  readonly lazy?: true;
  /** A failure of it is a sign of forgery that stands by itself. */
  readonly suspects?: true;
  /** Evidence of which it has nothing to say under any settings, nor anything to edit: this very object is not judged. */
  readonly clear?: E;
  /** The closed list of what it can say, with the sentence for an administrator. */
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
  /** Header edits of the copies of a recipient who gets the message; equal edits should be the same list. */
  edits?(evidence: E, settings: SettingValues<G>, context: RecipientContext): readonly HeaderEdit[];
  /** Once everybody is decided: the evidence as it is stored. */
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

/** All checks have one form, so that the engine finds what it asks of each in the same place. */
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
 * Nothing to say: the usual case, and the same object always. Not frozen: it lies in evidence, and one
 * frozen array there makes the JSON of all the evidence three times as dear.
 */
export const NOTHING: readonly never[] = [];
