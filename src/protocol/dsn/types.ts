/**
 * The values of delivery status notifications (RFC 3461, RFC 3464): what is reported, and what comes
 * of composing or reading a report.
 */
import type { Segment } from '../mime/types.ts';
import type { BodyType, OriginalRecipient } from '../smtp/types.ts';

/** RFC 3464 2.3.3. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

export interface DsnRecipient {
  readonly action: DsnAction;
  /** Where it was delivered to, or should have been: `local@domain`. The sender sees it: to keep the target of an alias private, give the alias. */
  readonly finalRecipient: string;
  /** What the sender wrote in RCPT, where an alias or a redirect changed it; shown to the reader only when it differs. */
  readonly addressedTo?: string;
  /** ORCPT, as the client gave it (RFC 3461 4.2). */
  readonly orcpt?: OriginalRecipient;
  /** RFC 3463, `5.1.1`. */
  readonly status: string;
  /** The host that said so; absent when none was reached. */
  readonly remoteMta?: string;
  /** The remote's reply as it came, else our own words. */
  readonly diagnostic?: { readonly saidBy: 'remote' | 'us'; readonly text: string };
  /** Milliseconds since the epoch. */
  readonly lastAttemptAt?: number;
  readonly willRetryUntil?: number;
  /** How long it was tried before it was given up, for the reader: `5 days`. */
  readonly triedFor?: string;
}

/** How much of the original goes back (RFC 3461 4.3). */
export type Returned =
  | { readonly kind: 'none' }
  /** The header of the original, with or without its empty line; bounded by the caller (limits.ts). */
  | { readonly kind: 'headers'; readonly header: Uint8Array }
  /** All of it: one `original` segment of `sizeBytes`. BINARYMIME content cannot go back so; give its header. */
  | {
      readonly kind: 'full';
      readonly sizeBytes: number;
      readonly body: '7BIT' | '8BITMIME';
      readonly smtputf8: boolean;
      /** As above: what it is written in decides the type of the part. */
      readonly header: Uint8Array;
    };

export interface DsnReport {
  /** Our hostname: Reporting-MTA. */
  readonly reportingMta: string;
  /** Who the report comes from, in its From field: an address of ours, `postmaster@...` or `mailer-daemon@...`. */
  readonly from: string;
  /** The reverse-path of the original. The report itself is sent with `MAIL FROM:<>`. */
  readonly to: string;
  /** When the original came in; milliseconds since the epoch. */
  readonly arrivedAt: number;
  /** ENVID, decoded. */
  readonly envid?: string;
  /** Of the original; helps the reader to know which message is meant. */
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

/** A report that came in. Per-recipient fields as RFC 3464 names them; absent where the report has none. */
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
