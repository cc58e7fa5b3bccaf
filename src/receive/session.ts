/**
 * The state of an SMTP session (RFC 5321 4.1.4) and of its transaction. State only: verbs change it,
 * the engine drives it.
 */

import type { SessionRecord } from '../journal/contract.ts';
import type { ReversePath } from '../model/address.ts';
import type { MailParameters, Recipient } from '../model/envelope.ts';
import type { Finding } from '../model/finding.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Reply } from '../model/reply.ts';
import type { SessionFacts } from '../model/session.ts';
import type { DataDecoder } from '../protocol/smtp/data-decoder.ts';
import type { RecipientVerdict, ScreenSession } from '../screen/contract.ts';
import type { Connection } from '../wire/connection.ts';
import type { Handshakes } from '../wire/handshakes.ts';
import type { SaslExchange } from '../wire/sasl/server.ts';
import type { Proof } from '../wire/sasl/types.ts';
import type { AuthGuard } from './auth-guard.ts';
import type { IncomingContent } from './content.ts';
import type { Dialogue } from './dialogue.ts';
import type { RefusedRecipients } from './refused.ts';
import type { ReceiveServices } from './services.ts';
import type { SmtpPolicy } from './settings.ts';

export type AcceptedRecipient = RecipientVerdict & { readonly accepted: true };

export interface MailTransaction {
  readonly id: string;
  readonly startedAt: number;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly findings: readonly Finding[];
  readonly recipients: AcceptedRecipient[];
  readonly refused: RefusedRecipients;
  readonly dialogue: Dialogue;
  /** Present from the first byte on. */
  content: IncomingContent | undefined;
  /** BDAT has begun: DATA is out of place (RFC 3030 2). */
  chunked: boolean;
}

/** The kind of bytes that are being received. */
export type Receiving =
  | { readonly kind: 'data' }
  /** `refusal`: the bytes are read and dropped, then it is sent (RFC 3030 2). */
  | {
      readonly kind: 'chunk';
      remainingBytes: number;
      readonly sizeBytes: number;
      readonly last: boolean;
      readonly refusal?: Reply;
    };

export interface SmtpSession {
  readonly services: ReceiveServices;
  readonly policy: SmtpPolicy;
  readonly connection: Connection;
  readonly hostname: string;
  /** This client may name another one (XCLIENT): behind a PROXY header that is the client in the header. */
  readonly trustedProxy: boolean;
  readonly authGuard: AuthGuard;
  readonly handshakes: Handshakes;
  /** The longest line that may be a command, with CRLF: AUTH with credentials may be longer than others. */
  readonly longestLine: number;
  readonly dialogue: Dialogue;
  readonly decoder: DataDecoder;
  readonly write: (slice: Buffer, isPlain: boolean) => void;
  facts: SessionFacts;
  /** By XCLIENT. */
  isClientNamed: boolean;
  screen: ScreenSession;
  transaction: MailTransaction | undefined;
  receiving: Receiving | undefined;
  /** AUTH has begun, and its next line is awaited; `refused`: the result is already decided, and is the answer. */
  exchange: { readonly exchange: SaslExchange; readonly mechanism: string; refused?: Reply } | undefined;
  /** The credential of the sign-in; apart from the facts, which are logged. */
  proof: Proof | undefined;
  /** Removes it from the registry of signed-in sessions. */
  leaveGuard: (() => void) | undefined;
  /**
   * Its account was frozen, disabled or removed: a reply is sent and the connection closed when the work in hand is
   * done.
   */
  isDismissed: boolean;
  authFailures: number;
  errors: number;
  idleCommands: number;
  /** Repeated, beyond the limit, or deferred. */
  fruitlessRecipients: number;
  refusedRecipients: number;
  transactions: number;
  messagesAccepted: number;
  /** The command in hand; its line is added to the dialogue to which it belongs, once that is known. */
  commandLine: string | undefined;
  /** STARTTLS was answered 220. */
  upgrading: boolean;
  /** A refused AUTH may be followed by a line with credentials. */
  secretMayFollow: boolean;
  draining: boolean;
  gone: boolean;
  /** Why it ends, if the connection's end does not show it. */
  end: SessionRecord['end'] | undefined;
  reason: string | undefined;
}

/** Undefined: there is no reply yet. */
export type Verb = (session: SmtpSession, argument: string) => MaybePromise<Reply | undefined>;

export function currentDialogue(session: SmtpSession): Dialogue {
  return session.transaction?.dialogue ?? session.dialogue;
}

export function sameRecipient(a: Recipient, b: Recipient): boolean {
  return a.address.text === b.address.text;
}
