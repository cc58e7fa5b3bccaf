/**
 * Screening as `receive` sees it: ask at each stage, get a typed answer.
 */
import type { Address, ReversePath } from '../model/address.ts';
import type { ContentRef, HeaderEdit } from '../model/content.ts';
import type { Envelope, MailParameters, Recipient } from '../model/envelope.ts';
import type { Direction, Disposition, Evidence, Finding } from '../model/finding.ts';
import type { RecipientFindings } from '../model/journal-detail.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Reply } from '../model/reply.ts';
import type { SessionFacts } from '../model/session.ts';
import type { HiddenClients } from './sender/nat.ts';

/** What a stage before RCPT comes to; `refusal` only from checks of scope `server`. */
export interface StageVerdict {
  readonly findings: readonly Finding[];
  readonly refusal?: Reply;
}

/** What RCPT comes to: the recipient, where its copies go, and who the message is to it. */
export type RecipientVerdict =
  | {
      readonly accepted: true;
      readonly recipient: Recipient;
      readonly direction: Direction;
      readonly trusted: boolean;
      /** Who of ours wrote it: the account that signed in, or `@domain` of a domain mail server. Absent: a stranger. */
      readonly author?: string;
      readonly policyDomain: string;
      readonly targets: readonly Address[];
      readonly viaAlias: boolean;
      readonly findings: readonly Finding[];
    }
  | { readonly accepted: false; readonly reply: Reply; readonly findings: readonly Finding[] };

/** What RCPT said too early of a recipient, where the header told who the sender is. */
export interface Correction {
  readonly direction: Direction;
  readonly trusted: boolean;
  readonly author: string | undefined;
  readonly policyDomain: string;
}

/** What the whole message comes to. */
export type MessageVerdict =
  /** All refused or any deferred: only the journal is written. */
  | { readonly kind: 'reply'; readonly reply: Reply; readonly findings: readonly RecipientFindings[] }
  /** 250: a disposition for each accepted recipient, in order of RCPT. */
  | {
      readonly kind: 'commit';
      readonly dispositions: readonly Disposition[];
      readonly edits: readonly (readonly HeaderEdit[])[];
      readonly findings: readonly RecipientFindings[];
      /** One a recipient; absent, which is the rule: what RCPT said stands. */
      readonly corrections?: readonly Correction[];
    };

export interface MessageFacts {
  readonly subject?: string;
  readonly headerFrom?: string;
  readonly messageIdHeader?: string;
}

/** Everything screening remembers of one session; `receive` only hands it back. */
export interface ScreenSession {
  connect(): MaybePromise<StageVerdict>;
  ehlo(facts: SessionFacts): MaybePromise<StageVerdict>;
  /** Starts a transaction; ends the one before. */
  mail(facts: SessionFacts, reversePath: ReversePath, parameters: MailParameters): MaybePromise<StageVerdict>;
  recipient(recipient: Recipient): MaybePromise<RecipientVerdict>;
  /** Whether the settings of both policy domains come to the same for a message as a whole. Within a transaction. */
  haveOnePolicy(one: string, other: string): boolean;
  /**
   * The end of data. `envelope.recipients` are `recipient` of accepted verdicts, in order of RCPT, all or some;
   * of the content only the header is read.
   * Errors: those of `ContentRef.open`.
   */
  message(
    envelope: Envelope,
    content: ContentRef,
  ): MaybePromise<
    MessageVerdict & { readonly facts: MessageFacts; readonly evidence: Readonly<Record<string, Evidence>> }
  >;
  /** What was observed up to RCPT, for the log of a transaction whose message never came. A screen without checks has none. */
  observed?(): Readonly<Record<string, Evidence>>;
  /**
   * The transaction is over, or its client went: what it still asks others is given up. A screen that
   * asks nobody has none.
   */
  reset?(): void;
}

export interface Screen {
  session(facts: SessionFacts): ScreenSession;
  /** Clients whose address was found to be everybody's since the start: nothing that rests on it counts. */
  hidden(): readonly HiddenClients[];
}
