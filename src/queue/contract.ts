/**
 * The durable queue (architecture, section 4): what was answered 250 is here until it is settled.
 *
 * `receive` commits, `deliver` claims and settles, `operations` holds, releases, retries, redirects,
 * bounces and deletes. A claim is all due recipients of one message, variant and destination under a
 * lease; settling with a lease that changed meanwhile is void and changes nothing.
 */
import type { MessageRecord, RecipientRecord } from '../journal/contract.ts';
import type { Address, ReversePath } from '../model/address.ts';
import type { ContentRef, HeaderEdit, Splice } from '../model/content.ts';
import type { BodyType, Notify, OriginalRecipient } from '../model/envelope.ts';
import type { Direction, HeldBy, HoldClass } from '../model/finding.ts';
import type { JournalDetail } from '../model/journal-detail.ts';
import type { Reply } from '../model/reply.ts';
import type { StagedContent, Statement } from '../store/contract.ts';

export type ActiveState = 'queued' | 'held';
export type FinalState = 'delivered' | 'relayed' | 'bounced' | 'expired' | 'discarded' | 'redirected' | 'deleted';
export type QueueState = ActiveState | FinalState;

/** When a hold ends by the clock (milliseconds since the epoch), and what becomes of the recipient then. */
export interface HoldEnd {
  readonly at: number;
  readonly to: 'queued' | 'deleted';
}

/** A splice to be kept: bytes go into a row (limits.ts says how many); staged content that is a file is the variant's own from the commit on. */
export interface NewSplice extends Omit<Splice, 'with'> {
  readonly with: Uint8Array | StagedContent;
}

export interface NewRecipient {
  /** Where it is delivered to. */
  readonly address: Address;
  /** What the client said in RCPT, where an alias or a redirect changed it. */
  readonly original: Address;
  readonly notify?: Notify;
  readonly orcpt?: OriginalRecipient;
  readonly direction: Direction;
  /** Rows of one destination share back-off, connections and slow start: normally the domain. */
  readonly destination: string;
  /** The recipient's variant, beyond what is the message's; recipients with equal variants share one and travel together. */
  readonly edits?: readonly HeaderEdit[];
  /** Over the message's content, sorted and apart from each other. */
  readonly splices?: readonly NewSplice[];
  readonly state:
    | 'queued'
    /** `tellSender`: refused too late for a reply, and a failure report with it goes out (architecture, section 3). */
    | {
        readonly held: HoldClass;
        readonly reason: string;
        /** What an administrator finds it by; absent: nothing that has a name. */
        readonly by?: HeldBy;
        readonly tellSender?: Reply;
        /** Absent: until somebody decides. */
        readonly until?: HoldEnd;
      }
    | { readonly discarded: string };
  /** RFC 3461 5.2.7: an alias with several targets has confirmed success itself ("expanded"). */
  readonly expanded?: boolean;
}

export interface NewMessage {
  /** Made by newId; the id the client sees in `250 queued as`. */
  readonly id: string;
  readonly session?: string;
  readonly clientAddress?: string;
  /** The author, if trusted: the account that signed in, `@domain` of a domain mail server or of this node. Absent: untrusted. */
  readonly author?: string;
  readonly reversePath: ReversePath;
  /** The checks found that the reverse-path is not its owner's: its failures are no news to anyone (queue.failureNotices). */
  readonly forged?: boolean;
  readonly body: BodyType;
  readonly smtputf8: boolean;
  readonly ret?: 'full' | 'headers';
  readonly envid?: string;
  readonly receivedAt: number;
  readonly content: StagedContent;
  /** Header lines that this node puts on top of every copy (Received, later Authentication-Results), CRLF-ended. */
  readonly trace: string;
  /** The journal's row of the message; also kept with the message until the journal has it on disk. */
  readonly detail: JournalDetail;
  readonly recipients: readonly NewRecipient[];
  /** What was decided for every recipient, those refused at RCPT too, for the journal; absent: as `recipients` say. */
  readonly decided?: MessageRecord['recipients'];
}

export interface ClaimedRecipient {
  readonly row: number;
  readonly address: Address;
  readonly original: Address;
  readonly notify?: Notify;
  readonly orcpt?: OriginalRecipient;
  readonly direction: Direction;
  /** Tries made so far, this one not counted. */
  readonly attempts: number;
}

export interface Claim {
  readonly lease: string;
  readonly message: {
    readonly id: string;
    readonly clientAddress?: string;
    readonly author?: string;
    readonly reversePath: ReversePath;
    readonly body: BodyType;
    readonly smtputf8: boolean;
    readonly ret?: 'full' | 'headers';
    readonly envid?: string;
    readonly receivedAt: number;
  };
  readonly content: ContentRef;
  readonly trace: string;
  readonly edits: readonly HeaderEdit[];
  /** Over `content`, as are header edits, which count in what the splices make of it. */
  readonly splices?: readonly Splice[];
  readonly destination: string;
  readonly recipients: readonly ClaimedRecipient[];
}

/** What a try came to, for one recipient. */
export type AttemptResult =
  /** `delivered`: into a local mailbox; `relayed`: accepted by the next host. `dsn`: that host took over the DSN duties (RFC 3461 5.2.2). */
  | {
      readonly row: number;
      readonly kind: 'delivered' | 'relayed';
      readonly dsn: boolean;
      readonly detail: AttemptDetail;
    }
  | {
      readonly row: number;
      readonly kind: 'deferred';
      readonly detail: AttemptDetail;
      readonly countsAsAttempt: boolean;
      /** Milliseconds since the epoch: not tried again earlier, whatever the schedule says. */
      readonly notBeforeMs?: number;
    }
  | { readonly row: number; readonly kind: 'failed'; readonly detail: AttemptDetail }
  /** The content is missing or damaged (`content.missing`, `content.corrupt`): held for an operator, the file set aside. */
  | { readonly row: number; readonly kind: 'unreadable'; readonly detail: AttemptDetail };

export interface AttemptDetail {
  readonly at: number;
  /** Host name and address talked to; absent when none was reached. */
  readonly host?: string;
  readonly address?: string;
  readonly port?: number;
  readonly tls?: string;
  /** RFC 3463 status, e.g. `4.4.1`. */
  readonly status: string;
  /** The remote's reply as it came (code, enhanced, text), or our reason where none came. */
  readonly reply: string;
  /** True when `reply` was said by the remote host (DSN: Diagnostic-Code smtp; else X-Postern). */
  readonly remote: boolean;
  /** Of the same try, oldest first, bounded (limits.ts): what led to this host. Absent where it was the first. */
  readonly earlier?: readonly EarlierHost[];
}

/** A host that was asked before, or passed over: its reply, or our reason. */
export type EarlierHost = NonNullable<RecipientRecord['earlier']>[number];

/** Takes claims while it has room; `deliver` is the only one. */
export interface Dispatcher {
  /** How many more claims for this destination it would start now; slow start is the queue's. Asked on the hot path: must be quick. */
  room(destination: string): number;
  /** Takes the claim; the queue renews its lease until `settle`. */
  take(claim: Claim): void;
  /**
   * Ends a claim that it took, before the next host has all of the message: it is settled with the results there are,
   * and the other recipients are left as they were. False: too late, its answer counts (for the transaction under
   * way; none follows it).
   */
  stop(lease: string): boolean;
  /** An operator wants mail tried now: hosts that could not be reached a moment ago are asked again, and so is the DNS. */
  forgetFailures(): void;
}

export interface Queue {
  newId(): string;
  /**
   * Durable when it resolves. Errors: `store.full`, `store.unavailable`, `content.splices` (they do not fit the
   * content), and what `also` expects. Discards all staged content on error. `also`: statements of the caller in the same unit, as where it comes from elsewhere in the store.
   */
  commit(message: NewMessage, also?: readonly Statement[]): Promise<void>;
  attach(dispatcher: Dispatcher): void;
  /** The dispatcher has room again (for one destination or at all). */
  wake(destination?: string): void;
  /** `void`: the lease was lost; nothing was changed. */
  settle(claim: Claim, results: readonly AttemptResult[]): Promise<'settled' | 'void'>;
  /** No host of the destination gave a session: back-off, which only delays, then slow start. `failure`: the reply or reason of the try. */
  destinationFailed(destination: string, failure: string): void;
  /** It took mail: slow start goes on. */
  destinationSucceeded(destination: string): void;
  /** Stops claiming; resolves when nothing is in flight, or after `deadlineMs` milliseconds. */
  drain(deadlineMs: number): Promise<void>;
}
