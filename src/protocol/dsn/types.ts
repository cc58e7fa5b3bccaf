/**
 * The values of delivery status notifications (RFC 3461, RFC 3464): what is reported, and the result of composing or
 * reading a report.
 */
import type { Segment } from '../mime/types.ts';
import type { BodyType, OriginalRecipient } from '../smtp/types.ts';

/** RFC 3464 2.3.3. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

export interface DsnRecipient {
  readonly action: DsnAction;
  /**
   * The mailbox of the delivery: `local@domain`. The sender sees it: to keep the target of an alias private, pass the
   * alias.
   */
  readonly finalRecipient: string;
  /** The address in RCPT, if an alias or a redirect changed it; shown to the reader only when it differs. */
  readonly addressedTo?: string;
  /** ORCPT, as the client gave it (RFC 3461 4.2). */
  readonly orcpt?: OriginalRecipient;
  /** RFC 3463, `5.1.1`. */
  readonly status: string;
  /** The host that sent the status; absent when none was reached. */
  readonly remoteMta?: string;
  /** The remote's reply as received, else a text of ours. */
  readonly diagnostic?: { readonly saidBy: 'remote' | 'us'; readonly text: string };
  /** Milliseconds since the epoch. */
  readonly lastAttemptAt?: number;
  readonly willRetryUntil?: number;
  /** How long delivery was tried, for the reader: `5 days`. */
  readonly triedFor?: string;
}

/** How much of the original is returned (RFC 3461 4.3). */
export type Returned =
  | { readonly kind: 'none' }
  /** The header of the original, with or without its empty line; bounded by the caller (limits.ts). */
  | { readonly kind: 'headers'; readonly header: Uint8Array }
  /** All of it: one `original` segment of `sizeBytes`. BINARYMIME content cannot be returned so; pass its header. */
  | {
      readonly kind: 'full';
      readonly sizeBytes: number;
      readonly body: '7BIT' | '8BITMIME';
      readonly smtputf8: boolean;
      /** As above: its characters decide the type of the part. */
      readonly header: Uint8Array;
    };

export interface DsnReport {
  /** Our hostname: Reporting-MTA. */
  readonly reportingMta: string;
  /** The author of the report, in its From field: an address of ours, `postmaster@...` or `mailer-daemon@...`. */
  readonly from: string;
  /** The reverse-path of the original. The report itself is sent with `MAIL FROM:<>`. */
  readonly to: string;
  /** When the original was received; milliseconds since the epoch. */
  readonly arrivedAt: number;
  /** ENVID, decoded. */
  readonly envid?: string;
  /** Of the original; helps the reader to identify the message. */
  readonly subject?: string;
  readonly originalMessageId?: string;
  readonly recipients: readonly DsnRecipient[];
  readonly returned: Returned;
  /** Of the report itself. */
  readonly date: number;
  /** With its angle brackets. */
  readonly messageId: string;
  /** Unguessable, at most 60 characters of RFC 2046's bcharsnospace. */
  readonly boundary: string;
}

/** A report to be queued: `segments` of kind `bytes` and at most one `original` (the returned message). */
export interface Dsn {
  readonly segments: readonly Segment[];
  readonly sizeBytes: number;
  readonly body: BodyType;
  readonly smtputf8: boolean;
  readonly subject: string;
}

/** An incoming report. Per-recipient fields as RFC 3464 names them; absent if the report has none. */
export interface ParsedDsn {
  readonly reportingMta?: string;
  readonly envid?: string;
  readonly arrivedAt?: number;
  readonly recipients: readonly {
    readonly action: DsnAction | 'unknown';
    readonly finalRecipient?: string;
    readonly originalRecipient?: OriginalRecipient;
    readonly status?: string;
    readonly remoteMta?: string;
    readonly diagnostic?: { readonly type: string; readonly text: string };
  }[];
}
