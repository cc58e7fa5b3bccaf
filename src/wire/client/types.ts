/** What the SMTP client conversation takes and gives: transactions in, verdicts and failures out. */
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { ReversePath } from '../../model/address.ts';
import type { BodyType, Recipient } from '../../model/envelope.ts';
import type { Reply } from '../../model/reply.ts';
import type { ClientCredentials, ClientMechanism } from '../../protocol/sasl/client.ts';
import type { Random } from '../../world/random.ts';
import type { Salting } from './salting.ts';

/** The step of the conversation. `content`: while it was being sent; `final`: after the end of data. */
export type Step =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'auth'
  | 'idle'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'final'
  | 'rset'
  | 'quit';

/** The bytes of one message for the peer, before dot-stuffing. Only CRLF ends a line, unless `body` is BINARYMIME. */
export type OutgoingContent =
  | {
      readonly kind: 'whole';
      readonly sizeBytes: number;
      readonly pieces: readonly Buffer[];
      /** Pieces whose line ends were checked at reception: they are not checked again. */
      readonly guarded?: readonly Buffer[];
    }
  | {
      readonly kind: 'stream';
      readonly sizeBytes: number;
      /** False: `sizeBytes` is an estimate, good for SIZE and not for BDAT. */
      readonly exact: boolean;
      /**
       * Called again to read the same bytes anew. An error that it throws drops the connection, so that the peer
       * never sees an end of data.
       */
      open(): AsyncIterable<Uint8Array>;
    };

export interface ClientTransaction {
  readonly reversePath: ReversePath;
  /** At least one; all of them in one MAIL. */
  readonly recipients: readonly Recipient[];
  /** The type of the content. The caller has adapted it to the peer (`extensions`). */
  readonly body: BodyType;
  /** Ask for SMTPUTF8; only where the peer offers it. */
  readonly smtputf8: boolean;
  readonly ret?: 'full' | 'headers';
  readonly envid?: string;
  readonly content: OutgoingContent;
}

/** The result for one recipient. */
export interface TransactionResult {
  readonly outcome: 'accepted' | 'deferred' | 'failed';
  /** The peer's reply if `remote`, else ours. */
  readonly reply: Reply;
  readonly remote: boolean;
  readonly step: Step;
}

/** A fault of the peer in an extension that it offers; the next connection should not use that extension. */
export type Suspicion = 'pipelining' | 'chunking';

export interface TransactionEnd {
  /** One a recipient, in order. */
  readonly verdicts: readonly TransactionResult[];
  /** The connection takes another transaction. */
  readonly reusable: boolean;
  /**
   * The peer closed (or replied 421) before it answered anything of this transaction: another connection may be tried
   * at once.
   */
  readonly unanswered: boolean;
  readonly suspicion?: Suspicion;
  /** The error of the content's source: the message was not sent for reasons of ours, not the peer's. */
  readonly sourceError?: unknown;
}

/** Why a connection never became ready. */
export interface OpeningFailure {
  /**
   * `refused`: a 4xx or 5xx greeting or EHLO, or 421 to STARTTLS; `reply` is set then. `sign-in`: `problem` says
   * which.
   */
  readonly kind: 'connection' | 'refused' | 'tls' | 'sign-in';
  readonly step: Step;
  readonly reply?: Reply;
  readonly problem?: SignInProblem;
  /** A sentence without addresses. */
  readonly reason: string;
}

/**
 * Why the sign-in failed. `insecure`: the server did not prove its identity, and received no secret; `not-offered`:
 * it offers no mechanism that we know; `refused` (5xx) and `put-off` (4xx): by its reply; `unproven`: its final
 * message is wrong; `lost`: it closed or fell silent in between.
 */
export type SignInProblem = 'insecure' | 'not-offered' | 'refused' | 'put-off' | 'unproven' | 'lost';

/** The account to sign in as, and how the server proves first that it may receive the secret. */
export interface SignIn {
  readonly credentials: ClientCredentials;
  /** Why the server may not receive the secret, in a sentence; undefined: it may. `tls` is absent in clear. */
  doubt(tls: TLSSocket | undefined): string | undefined;
  /** Absent: all that the secret allows, the strongest first. */
  readonly allowed?: readonly ClientMechanism[];
  readonly salting: Salting;
  readonly random: Random;
  /** Receives the lines of both sides, without secrets. */
  readonly notes?: { sent(line: string): void; received(line: string): void };
}

export interface ClientTimeouts {
  readonly connectMs: number;
  readonly greetingMs: number;
  readonly commandMs: number;
  /** DATA until 354. */
  readonly dataMs: number;
  /** Until the peer took the next block of content. */
  readonly blockMs: number;
  /** After the end of data. */
  readonly finalMs: number;
}

export interface ConnectOptions {
  /** Textual IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
  /** For TLS: the name whose look-up gave the address. */
  readonly host: string;
  readonly heloName: string;
  /** Our own address; the system chooses when absent. */
  readonly localAddress?: string;
  /** `required`: without STARTTLS the connection fails; `implicit`: TLS before the greeting (RFC 8314 3.3); `clear`: STARTTLS is not used. */
  readonly tls: 'opportunistic' | 'required' | 'implicit' | 'clear';
  readonly tlsOptions: (host: string) => ConnectionOptions;
  readonly timeouts: ClientTimeouts;
  /** Extensions that this peer offers and does not implement correctly. */
  readonly without: readonly Suspicion[];
  /** Absent: mail is sent without authentication. */
  readonly signIn?: SignIn;
}
