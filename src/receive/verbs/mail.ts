/** MAIL FROM (RFC 5321 4.1.1.2): begins a transaction. */
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import { type MailCommand, parseMail } from '../../protocol/smtp/mail-command.ts';
import type { StageVerdict } from '../../screen/contract.ts';
import { GREET_FIRST, problemReply, TOO_LARGE, tooMuch } from '../replies.ts';
import type { SmtpSession, Verb } from '../session.ts';
import { mayGoOn } from '../signed-in.ts';
import { beginTransaction } from '../transaction.ts';

const SENDER_OK: Reply = { code: 250, enhanced: '2.1.0', text: 'sender ok' };
const ALREADY: Reply = { code: 503, enhanced: '5.5.1', text: 'a message is being sent already; RSET ends it' };
/** RFC 4954 6: submission requires authentication. */
const AUTHENTICATE: Reply = { code: 530, enhanced: '5.7.0', text: 'authentication required' };

export const mail: Verb = (session, argument) => {
  const { facts, policy } = session;
  if (facts.helo === undefined) return GREET_FIRST;
  if (session.transaction) return ALREADY;
  if (facts.profile !== 'mx' && facts.account === undefined) return AUTHENTICATE;
  if (session.transactions >= policy.maxMessagesPerSession) return tooMuch('too many messages on one connection');
  const command = parseMail(argument);
  if (!command.ok) return problemReply(command.problem, 'sender');
  // RFC 1870 6.1: refused before it is sent.
  if ((command.value.parameters.sizeBytes ?? 0) > policy.maxMessageBytes) return refuse(session, TOO_LARGE);
  if (facts.account === undefined) return screen(session, command.value);
  return andThen(mayGoOn(session), (refusal) => refusal ?? screen(session, command.value));
};

/** The command did not advance a message. */
function refuse(session: SmtpSession, reply: Reply): Reply {
  session.idleCommands++;
  return reply;
}

function screen(session: SmtpSession, command: MailCommand): MaybePromise<Reply> {
  const verdict = session.screen.mail(session.facts, command.reversePath, command.parameters);
  if (isPromise(verdict)) return verdict.then((settled) => begin(session, command, settled));
  return begin(session, command, verdict);
}

function begin(session: SmtpSession, command: MailCommand, { refusal, findings }: StageVerdict): Reply {
  if (refusal) {
    session.reason ??= 'refused at MAIL';
    return refuse(session, refusal);
  }
  beginTransaction(session, command, findings);
  return SENDER_OK;
}
