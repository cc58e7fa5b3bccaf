/**
 * The journal rows of receiving: one a refused message or transaction, one a session. The queue writes those of
 * accepted messages.
 */
import type { MessageRecord, SessionRecord } from '../journal/contract.ts';
import type { Evidence } from '../model/finding.ts';
import type { JournalDetail, RecipientFindings } from '../model/journal-detail.ts';
import { type Reply, replyText } from '../model/reply.ts';
import type { MessageFacts } from '../screen/contract.ts';
import { dispositionOf, hasRefused, loggedRefused, repliesToRefused, replyName } from './refused.ts';
import type { MailTransaction, SmtpSession } from './session.ts';

/** The result of the message stage; if it was not reached, only the facts of the header's beginning. */
export interface Screened {
  readonly facts: MessageFacts;
  readonly evidence?: Readonly<Record<string, Evidence>>;
  readonly findings?: readonly RecipientFindings[];
}

/** `screened` also contains the findings before the message stage, on the transaction and its accepted recipients. */
export function journalDetail(transaction: MailTransaction, screened?: Screened): JournalDetail {
  const { refused, dialogue } = transaction;
  const facts = screened?.facts;
  const found = screened?.findings ?? foundBefore(transaction);
  return {
    subject: facts?.subject,
    headerFrom: facts?.headerFrom,
    messageIdHeader: facts?.messageIdHeader,
    evidence: screened?.evidence ?? {},
    findings: hasRefused(refused) ? [...foundOfRefused(transaction), ...found] : found,
    dialogue: dialogue.text,
  };
}

function foundOfRefused({ refused }: MailTransaction): readonly RecipientFindings[] {
  return refused.kept
    .filter(({ findings }) => findings.length > 0)
    .map(({ address, findings }) => ({ recipient: address, findings }));
}

/** If the message stage was not reached. */
function foundBefore({ findings, recipients }: MailTransaction): readonly RecipientFindings[] {
  const found: RecipientFindings[] = findings.length > 0 ? [{ findings }] : [];
  for (const { recipient, findings: own } of recipients)
    if (own.length > 0) found.push({ recipient: recipient.address.text, findings: own });
  return found;
}

/** `said`: the reply to the whole message; without it only RCPTs were refused. */
export function recordRefusals(
  session: SmtpSession,
  transaction: MailTransaction,
  said?: { readonly reply: Reply; readonly screened?: Screened },
): void {
  const whole = said
    ? transaction.recipients.map(({ recipient }) => ({
        address: recipient.address.text,
        disposition: dispositionOf(said.reply.code),
        reason: replyText(said.reply),
      }))
    : [];
  // The message stage has all evidence; if it was not reached, the refused RCPTs keep theirs.
  const screened = {
    facts: said?.screened?.facts ?? {},
    evidence: said?.screened?.evidence ?? session.screen.observed?.(),
    findings: said?.screened?.findings,
  };
  session.services.journal.message({
    ...commonRecord(session, transaction, journalDetail(transaction, screened)),
    direction: 'refused',
    recipients: [...whole, ...loggedRefused(transaction.refused)],
    replies: [...whole.map(() => replyName(said!.reply)), ...repliesToRefused(transaction.refused)],
  });
}

function commonRecord(
  { services, facts }: SmtpSession,
  { id, reversePath, content }: MailTransaction,
  detail: JournalDetail,
): Omit<MessageRecord, 'direction' | 'recipients'> {
  return {
    id,
    at: services.clock.now(),
    session: facts.id,
    from: reversePath === null ? '' : reversePath.text,
    clientAddress: facts.client.address,
    sizeBytes: content?.sizeBytes ?? 0,
    detail,
  };
}

export function sessionRecord(session: SmtpSession, end: SessionRecord['end']): SessionRecord {
  return {
    facts: session.facts,
    endedAt: session.services.clock.now(),
    end,
    dialogue: session.dialogue.text,
    messagesAccepted: session.messagesAccepted,
    reason: session.reason,
  };
}
