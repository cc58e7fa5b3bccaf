/** How a transaction begins and ends; the verbs do the rest. */
import type { Finding } from '../model/finding.ts';
import type { MailCommand } from '../protocol/smtp/mail-command.ts';
import { openContent, refuse } from './content.ts';
import { addDialogue } from './dialogue.ts';
import { recordRefusals } from './records.ts';
import { hasRefused, noneRefused } from './refused.ts';
import type { MailTransaction, SmtpSession } from './session.ts';

export function beginTransaction(
  session: SmtpSession,
  { reversePath, parameters }: MailCommand,
  findings: readonly Finding[],
): void {
  session.transactions++;
  session.transaction = {
    id: session.services.queue.newId(),
    startedAt: session.services.clock.now(),
    reversePath,
    parameters,
    findings,
    recipients: [],
    refused: noneRefused(),
    dialogue: { text: '' },
    content: undefined,
    chunked: false,
  };
}

export function openTransactionContent({ services, policy }: SmtpSession, transaction: MailTransaction): void {
  transaction.content = openContent(services.blobs.spool(), {
    body: transaction.parameters.body,
    maxBytes: policy.maxMessageBytes,
    bareNewlines: policy.bareNewlines,
    nulCharacters: policy.nulCharacters,
    startedAt: services.clock.now(),
  });
}

/**
 * Ends the transaction without a message. Refused recipients leave their row; its lines become part of the session's
 * dialogue.
 */
export function abandonTransaction(session: SmtpSession): void {
  const { transaction } = session;
  if (!transaction) return;
  session.screen.reset?.();
  session.transaction = undefined;
  if (transaction.content) refuse(transaction.content, 'abandoned');
  if (hasRefused(transaction.refused)) recordRefusals(session, transaction);
  else addDialogue(session.dialogue, transaction.dialogue);
}
