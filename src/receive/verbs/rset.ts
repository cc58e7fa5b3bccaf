/** RSET (RFC 5321 4.1.1.5): aborts the transaction. */
import { NO_ARGUMENT, OK } from '../replies.ts';
import type { Verb } from '../session.ts';
import { abandonTransaction } from '../transaction.ts';

export const rset: Verb = (session, argument) => {
  if (argument !== '') return NO_ARGUMENT;
  session.idleCommands++;
  abandonTransaction(session);
  return OK;
};
