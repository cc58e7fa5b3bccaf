/** RCPT TO (RFC 5321 4.1.1.3, DSN parameters RFC 3461 4.1): adds one recipient, decided alone. */
import { isPromise } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import { parseRcpt } from '../../protocol/smtp/mail-command.ts';
import type { RecipientVerdict } from '../../screen/contract.ts';
import { FRUITLESS_LISTS } from '../limits.ts';
import { addRefused } from '../refused.ts';
import { MAIL_FIRST, problemReply, tooMuch } from '../replies.ts';
import {
  type AcceptedRecipient,
  type MailTransaction,
  type SmtpSession,
  sameRecipient,
  type Verb,
} from '../session.ts';

const RECIPIENT_OK: Reply = { code: 250, enhanced: '2.1.5', text: 'recipient ok' };
const TOO_MANY: Reply = { code: 452, enhanced: '4.5.3', text: 'too many recipients' };
const ANOTHER_POLICY: Reply = {
  code: 452,
  enhanced: '4.5.3',
  text: 'please send to this domain in a message of its own',
};
const CHUNKS_BEGUN: Reply = { code: 503, enhanced: '5.5.1', text: 'the content has begun already' };

export const rcpt: Verb = (session, argument) => {
  const { transaction } = session;
  if (!transaction) return MAIL_FIRST;
  if (transaction.chunked) return CHUNKS_BEGUN;
  const command = parseRcpt(argument, transaction.parameters.smtputf8);
  if (!command.ok) return problemReply(command.problem, 'recipient');
  const recipient = command.value;
  if (transaction.recipients.length >= session.policy.maxRecipients) return fruitless(session, TOO_MANY);
  // Repeated, it is still one recipient, and gets one copy.
  if (transaction.recipients.some((present) => sameRecipient(present.recipient, recipient)))
    return fruitless(session, RECIPIENT_OK);
  const verdict = session.screen.recipient(recipient);
  if (isPromise(verdict)) return verdict.then((settled) => decide(session, transaction, recipient, settled));
  return decide(session, transaction, recipient, verdict);
};

/** A list that is too long, or repeats an address, is no attack; an endless one is. */
function fruitless(session: SmtpSession, reply: Reply): Reply {
  session.fruitlessRecipients++;
  return session.fruitlessRecipients > FRUITLESS_LISTS * session.policy.maxRecipients
    ? tooMuch('too many recipients that cannot be taken')
    : reply;
}

/** Domains with settings of the same effect may share a message. */
function fits({ screen }: SmtpSession, { recipients: [first] }: MailTransaction, policyDomain: string): boolean {
  return !first || first.policyDomain === policyDomain || screen.haveOnePolicy(first.policyDomain, policyDomain);
}

function decide(
  session: SmtpSession,
  transaction: MailTransaction,
  { address }: AcceptedRecipient['recipient'],
  verdict: RecipientVerdict,
): Reply {
  if (verdict.accepted) {
    if (session.policy.splitPolicies && !fits(session, transaction, verdict.policyDomain))
      return fruitless(session, ANOTHER_POLICY);
    transaction.recipients.push(verdict);
    return RECIPIENT_OK;
  }
  const { reply, findings } = verdict;
  // The dialogue must not repeat at length what the row counts.
  if (!addRefused(transaction.refused, { address, reply, findings })) session.commandLine = undefined;
  if (reply.code < 500) return fruitless(session, reply);
  session.refusedRecipients++;
  return session.refusedRecipients > session.policy.maxRefusedRecipients
    ? tooMuch('too many refused recipients')
    : reply;
}
