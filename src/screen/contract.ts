/** Screening as `receive` uses it: call it at each stage, get a typed answer. */
import type { Address, ReversePath } from '../model/address.ts';
import type { ContentRef, HeaderEdit } from '../model/content.ts';
import type { Envelope, MailParameters, Recipient } from '../model/envelope.ts';
import type { Direction, Disposition, Evidence, Finding } from '../model/finding.ts';
import type { RecipientFindings } from '../model/journal-detail.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Reply } from '../model/reply.ts';
import type { SessionFacts } from '../model/session.ts';
import type { HiddenClients } from './sender/nat.ts';

/** The result of a stage before RCPT; `refusal` only from checks of scope `server`. */
export interface StageVerdict {
  readonly findings: readonly Finding[];
  readonly refusal?: Reply;
}

/** The result of RCPT: the recipient, the targets of its copies, and the direction of the message for it. */
export type RecipientVerdict =
  | {
      readonly accepted: true;
      readonly recipient: Recipient;
      readonly direction: Direction;
      readonly trusted: boolean;
      /**
       * The author, if one of our users: the account that signed in, or `@domain` of a domain mail server. Absent: an
       * untrusted sender.
       */
      readonly author?: string;
      readonly policyDomain: string;
      readonly targets: readonly Address[];
      readonly viaAlias: boolean;
      readonly findings: readonly Finding[];
    }
  | { readonly accepted: false; readonly reply: Reply; readonly findings: readonly Finding[] };

/** The corrected verdict on a recipient, if the header changed who the sender is after RCPT. */
export interface Correction {
  readonly direction: Direction;
  readonly trusted: boolean;
  readonly author: string | undefined;
  readonly policyDomain: string;
}

/** The result for the whole message. */
export type MessageVerdict =
  /** All recipients refused or any deferred: only the journal is written. */
  | { readonly kind: 'reply'; readonly reply: Reply; readonly findings: readonly RecipientFindings[] }
  /** 250: a disposition for each accepted recipient, in order of RCPT. */
  | {
      readonly kind: 'commit';
      readonly dispositions: readonly Disposition[];
      readonly edits: readonly (readonly HeaderEdit[])[];
      readonly findings: readonly RecipientFindings[];
      /** One a recipient; usually absent: the verdicts of RCPT stay. */
      readonly corrections?: readonly Correction[];
    };

export interface MessageFacts {
  readonly subject?: string;
  readonly headerFrom?: string;
  readonly messageIdHeader?: string;
}

/** The state of screening for one session; `receive` only passes it back. */
export interface ScreenSession {
  connect(): MaybePromise<StageVerdict>;
  ehlo(facts: SessionFacts): MaybePromise<StageVerdict>;
  /** Starts a transaction; ends the previous one. */
  mail(facts: SessionFacts, reversePath: ReversePath, parameters: MailParameters): MaybePromise<StageVerdict>;
  recipient(recipient: Recipient): MaybePromise<RecipientVerdict>;
  /**
   * Whether the settings of both policy domains have the same effect on a message as a whole. Within a transaction.
   */
  haveOnePolicy(one: string, other: string): boolean;
  /**
   * The end of data. `envelope.recipients` are `recipient` of accepted verdicts, in order of RCPT, all or some; only
   * the header of the content is read. Errors: those of `ContentRef.open`.
   */
  message(
    envelope: Envelope,
    content: ContentRef,
  ): MaybePromise<
    MessageVerdict & { readonly facts: MessageFacts; readonly evidence: Readonly<Record<string, Evidence>> }
  >;
  /** The evidence up to RCPT, for the log of a transaction without a message. A screen without checks has none. */
  observed?(): Readonly<Record<string, Evidence>>;
  /**
   * The transaction is over, or its client disconnected: pending look-ups are given up. A screen without look-ups has
   * none.
   */
  reset?(): void;
}

export interface Screen {
  session(facts: SessionFacts): ScreenSession;
  /** Clients whose address was found to be shared by many since the start: nothing may rely on it. */
  hidden(): readonly HiddenClients[];
}
