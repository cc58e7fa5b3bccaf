/** DATA (RFC 5321 4.1.1.4): the content follows, up to CRLF.CRLF. */
import type { Reply } from '../../model/reply.ts';
import { MAIL_FIRST, NO_ARGUMENT, NO_RECIPIENTS } from '../replies.ts';
import type { Verb } from '../session.ts';
import { openTransactionContent } from '../transaction.ts';

const GO_AHEAD: Reply = { code: 354, text: 'end with a dot alone on a line' };
const BDAT_ONLY: Reply = { code: 503, enhanced: '5.5.1', text: 'this message needs BDAT' };

export const data: Verb = (session, argument) => {
  const { transaction } = session;
  if (!transaction) return MAIL_FIRST;
  if (argument !== '') return NO_ARGUMENT;
  // RFC 3030 2 and 3: never mixed with BDAT, never for BINARYMIME.
  if (transaction.chunked || transaction.parameters.body === 'BINARYMIME') return BDAT_ONLY;
  if (transaction.recipients.length === 0) {
    session.idleCommands++;
    return NO_RECIPIENTS;
  }
  openTransactionContent(session, transaction);
  session.receiving = { kind: 'data' };
  return GO_AHEAD;
};
