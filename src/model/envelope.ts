/** The envelope (RFC 5321 2.3.1) with its extensions: SIZE, 8BITMIME, BINARYMIME, SMTPUTF8, DSN. */
import type { MailParameters, Recipient, ReversePath } from '../protocol/smtp/types.ts';

export type { BodyType, MailParameters, Notify, OriginalRecipient, Recipient } from '../protocol/smtp/types.ts';

export interface Envelope extends MailParameters {
  readonly reversePath: ReversePath;
  readonly recipients: readonly Recipient[];
}
