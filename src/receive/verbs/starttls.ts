/** STARTTLS (RFC 3207): what was pipelined behind it is forgotten, and so is the session. */
import type { Reply } from '../../model/reply.ts';
import { NO_ARGUMENT } from '../replies.ts';
import type { Verb } from '../session.ts';
import { abandonTransaction } from '../transaction.ts';

const READY: Reply = { code: 220, enhanced: '2.0.0', text: 'ready for TLS' };
const TLS_ALREADY: Reply = { code: 503, enhanced: '5.5.1', text: 'TLS is up already' };

export const starttls: Verb = (session, argument) => {
  // RFC 3207 4: no parameters.
  if (argument !== '') return NO_ARGUMENT;
  if (session.facts.tls) return TLS_ALREADY;
  abandonTransaction(session);
  session.upgrading = true;
  return READY;
};
