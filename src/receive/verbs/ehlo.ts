/** EHLO and HELO (RFC 5321 4.1.1.1): the client sends its name, and gets our extensions. Ends a transaction. */
import { andThen } from '../../model/maybe-promise.ts';
import type { Reply } from '../../model/reply.ts';
import { XCLIENT_ATTRIBUTES } from '../../protocol/smtp/xclient.ts';
import { steers } from '../../protocol/text/unsafe.ts';
import { HELO_CHARACTERS } from '../limits.ts';
import { BAD_NAME } from '../replies.ts';
import type { SmtpSession, Verb } from '../session.ts';
import { abandonTransaction } from '../transaction.ts';
import { authExtension } from './auth.ts';

export const ehlo: Verb = (session, argument) => greet(session, argument, true);
export const helo: Verb = (session, argument) => greet(session, argument, false);

function greet(session: SmtpSession, argument: string, extended: boolean): ReturnType<Verb> {
  const name = argument.split(' ', 1)[0]!;
  if (name === '') return { code: 501, enhanced: '5.5.4', text: 'say who you are: a domain or an address literal' };
  if (steers(argument)) return BAD_NAME;
  if (name.length > HELO_CHARACTERS) return { code: 501, enhanced: '5.5.4', text: 'that name is too long' };
  abandonTransaction(session);
  session.idleCommands++;
  session.facts = { ...session.facts, helo: name, extended };
  return andThen(session.screen.ehlo(session.facts), ({ refusal }) => {
    if (!refusal) return extended ? andThen(authExtension(session), (auth) => welcome(session, auth)) : hello(session);
    const { helo: _, ...anonymous } = session.facts;
    session.facts = anonymous;
    session.reason ??= 'refused at EHLO';
    return refusal;
  });
}

// RFC 2034 4: no enhanced codes here.
function hello({ hostname }: SmtpSession): Reply {
  return { code: 250, text: hostname };
}

function welcome(session: SmtpSession, auth: string): Reply {
  return { code: 250, text: [session.hostname, ...extensions(session, auth)] };
}

function extensions({ policy, facts, trustedProxy }: SmtpSession, auth: string): string[] {
  return [
    'PIPELINING',
    `SIZE ${policy.maxMessageBytes}`,
    ...(facts.tls ? [] : ['STARTTLS']),
    ...(auth === '' ? [] : [auth]),
    '8BITMIME',
    'BINARYMIME',
    'CHUNKING',
    'SMTPUTF8',
    'DSN',
    'ENHANCEDSTATUSCODES',
    // RFC 9422 3.
    `LIMITS MAILMAX=${policy.maxMessagesPerSession} RCPTMAX=${policy.maxRecipients}${policy.splitPolicies ? ' RCPTDOMAINMAX=1' : ''}`,
    ...(trustedProxy ? [`XCLIENT ${XCLIENT_ATTRIBUTES.join(' ')}`] : []),
    'HELP',
  ];
}
