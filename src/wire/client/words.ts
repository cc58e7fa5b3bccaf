/** What the SMTP client conversation takes and gives: transactions in, verdicts and failures out. */
import type { ConnectionOptions } from 'node:tls';
import type { ReversePath } from '../../model/address.ts';
import type { BodyType, Recipient } from '../../model/envelope.ts';
import type { Reply } from '../../model/reply.ts';

/** Where the conversation was. `content`: while it was being sent; `final`: after the end of data. */
export type Step =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'idle'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'final'
  | 'rset'
  | 'quit';

/** The bytes of one message as they go out, before dot-stuffing. Only CRLF ends a line, unless `body` is BINARYMIME. */
export type OutgoingContent =
  | {
      readonly kind: 'whole';
      readonly sizeBytes: number;
      readonly pieces: readonly Buffer[];
      /** One of the pieces whose newlines were checked when it came in: it is not looked through again. */
      readonly guarded?: Buffer;
    }
  | {
      readonly kind: 'stream';
      readonly sizeBytes: number;
      /** False: `sizeBytes` is an estimate, good for SIZE and not for BDAT. */
      readonly exact: boolean;
      /** Called again for another look at the same bytes. What it throws drops the connection, so that the peer never sees an end of data. */
      open(): AsyncIterable<Uint8Array>;
    };

export interface Transaction {
  readonly reversePath: ReversePath;
  /** At least one; all of them in one MAIL. */
  readonly recipients: readonly Recipient[];
  /** What the content is. The caller made it fit for the peer (`extensions`). */
  readonly body: BodyType;
  /** Ask for SMTPUTF8; only where the peer offers it. */
  readonly smtputf8: boolean;
  readonly ret?: 'full' | 'headers';
  readonly envid?: string;
  readonly content: OutgoingContent;
}

/** What one recipient came to. */
export interface Verdict {
  readonly outcome: 'accepted' | 'deferred' | 'failed';
  /** The peer's words where `remote`, else ours. */
  readonly reply: Reply;
  readonly remote: boolean;
  readonly step: Step;
}

/** What a peer did that its extensions promise it would not; the next connection should do without. */
export type Suspicion = 'pipelining' | 'chunking';

export interface TransactionEnd {
  /** One a recipient, in order. */
  readonly verdicts: readonly Verdict[];
  /** The connection takes another transaction. */
  readonly reusable: boolean;
  /**
   * The peer closed (or said 421) before it answered anything of this transaction: another connection
   * may be tried at once.
   */
  readonly unheard: boolean;
  readonly suspicion?: Suspicion;
  /** What the content's source threw: the message was not sent for our reasons, not the peer's. */
  readonly sourceError?: unknown;
}

/** Why a connection never became ready. */
export interface OpeningFailure {
  /** `refused`: a 4xx or 5xx greeting or EHLO; `reply` is there then. */
  readonly kind: 'connection' | 'refused' | 'tls';
  readonly step: Step;
  readonly reply?: Reply;
  /** A sentence without addresses. */
  readonly reason: string;
}

export interface ClientTimeouts {
  readonly connectMs: number;
  readonly greetingMs: number;
  readonly commandMs: number;
  /** DATA until 354. */
  readonly dataMs: number;
  /** Until the peer took a further block of content. */
  readonly blockMs: number;
  /** After the end of data. */
  readonly finalMs: number;
}

export interface ConnectOptions {
  /** Textual IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
  /** For TLS: the name that the address was found by. */
  readonly host: string;
  readonly heloName: string;
  /** Our end; the system chooses when absent. */
  readonly localAddress?: string;
  /** `required`: without STARTTLS the connection fails; `clear`: STARTTLS is not used. */
  readonly tls: 'opportunistic' | 'required' | 'clear';
  readonly tlsOptions: (host: string) => ConnectionOptions;
  readonly timeouts: ClientTimeouts;
  /** Extensions that this peer offers and does not master. */
  readonly without: readonly Suspicion[];
}
