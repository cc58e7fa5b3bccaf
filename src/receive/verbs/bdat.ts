/**
 * BDAT (RFC 3030 2): a chunk of so many bytes follows at once, even if we refuse it. A refused chunk is read and
 * dropped before the reply, or its bytes would be executed as commands.
 */
import type { Reply } from '../../model/reply.ts';
import { parseBdat } from '../../protocol/smtp/mail-command.ts';
import { MAIL_FIRST, NO_RECIPIENTS, TOO_LARGE } from '../replies.ts';
import type { SmtpSession, Verb } from '../session.ts';
import { openTransactionContent } from '../transaction.ts';

/** The number of bytes that follow is unknown, so no further command can be executed. */
const UNKNOWN_SIZE: Reply = {
  code: 501,
  enhanced: '5.5.4',
  text: 'BDAT must be followed by a size and perhaps LAST',
  close: true,
};

export const bdat: Verb = (session, argument) => {
  const command = parseBdat(argument);
  if (!command.ok) return UNKNOWN_SIZE;
  const { sizeBytes, last } = command.value;
  // Reading and dropping this much would help nobody.
  if (sizeBytes > session.policy.maxMessageBytes) return { ...TOO_LARGE, close: true };
  const refusal = refusalOf(session);
  if (refusal === NO_RECIPIENTS || (sizeBytes === 0 && !last)) session.idleCommands++;
  session.receiving = { kind: 'chunk', remainingBytes: sizeBytes, sizeBytes, last, ...(refusal ? { refusal } : {}) };
  const { transaction } = session;
  if (!refusal && transaction && !transaction.content) {
    transaction.chunked = true;
    openTransactionContent(session, transaction);
  }
  return undefined;
};

function refusalOf({ transaction }: SmtpSession): Reply | undefined {
  if (!transaction) return MAIL_FIRST;
  return transaction.recipients.length === 0 ? NO_RECIPIENTS : undefined;
}
