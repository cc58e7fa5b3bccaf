/** What the SMTP client conversation takes and gives: transactions in, verdicts and failures out. */
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { ReversePath } from '../../model/address.ts';
import type { BodyType, Recipient } from '../../model/envelope.ts';
import type { Reply } from '../../model/reply.ts';
import type { ClientCredentials, ClientMechanism } from '../../protocol/sasl/client.ts';
import type { Random } from '../../world/random.ts';
import type { Salting } from './salting.ts';

/** Where the conversation was. `content`: while it was being sent; `final`: after the end of data. */
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

/** The bytes of one message as they go out, before dot-stuffing. Only CRLF ends a line, unless `body` is BINARYMIME. */
export type OutgoingContent =
  | {
      readonly kind: 'whole';
      readonly sizeBytes: number;
      readonly pieces: readonly Buffer[];
      /** Pieces whose newlines were checked when they came in: they are not looked through again. */
      readonly guarded?: readonly Buffer[];
    }
  | {
      readonly kind: 'stream';
      readonly sizeBytes: number;
      /** False: `sizeBytes` is an estimate, good for SIZE and not for BDAT. */
      readonly exact: boolean;
      /** Called again for another look at the same bytes. What it throws drops the connection, so that the peer never sees an end of data. */
      open(): AsyncIterable<Uint8Array>;
    };

export interface ClientTransaction {
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
export interface TransactionResult {
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
  readonly verdicts: readonly TransactionResult[];
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
  /** `refused`: a 4xx or 5xx greeting or EHLO, or 421 to STARTTLS; `reply` is there then. `sign-in`: `problem` says which. */
  readonly kind: 'connection' | 'refused' | 'tls' | 'sign-in';
  readonly step: Step;
  readonly reply?: Reply;
  readonly problem?: SignInProblem;
  /** A sentence without addresses. */
  readonly reason: string;
}

/**
 * Why we are not signed in. `insecure`: the other end did not prove who it is, and heard nothing;
 * `not-offered`: no mechanism that we know; `refused` (5xx) and `put-off` (4xx): by its reply;
 * `unproven`: what it said cannot be right; `lost`: it hung up or fell silent in between.
 */
export type SignInProblem = 'insecure' | 'not-offered' | 'refused' | 'put-off' | 'unproven' | 'lost';

/** Whom to sign in as, and how the other end proves first that it may hear the secret. */
export interface SignIn {
  readonly credentials: ClientCredentials;
  /** Why the other end may not hear the secret, in a sentence; undefined: it may. `tls` is absent in clear. */
  doubt(tls: TLSSocket | undefined): string | undefined;
  /** Absent: all that the secret allows, the strongest first. */
  readonly allowed?: readonly ClientMechanism[];
  readonly salting: Salting;
  readonly random: Random;
  /** Hears what is said and answered, without anything that is secret. */
  readonly notes?: { sent(line: string): void; heard(line: string): void };
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
  /** `required`: without STARTTLS the connection fails; `implicit`: TLS before the greeting (RFC 8314 3.3); `clear`: STARTTLS is not used. */
  readonly tls: 'opportunistic' | 'required' | 'implicit' | 'clear';
  readonly tlsOptions: (host: string) => ConnectionOptions;
  readonly timeouts: ClientTimeouts;
  /** Extensions that this peer offers and does not master. */
  readonly without: readonly Suspicion[];
  /** Absent: mail is offered as nobody. */
  readonly signIn?: SignIn;
}
