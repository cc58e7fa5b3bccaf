/** NOOP (RFC 5321 4.1.1.9): a sign of life; its argument means nothing. */
import { OK } from '../replies.ts';
import type { Verb } from '../session.ts';

export const noop: Verb = (session) => {
  session.idleCommands++;
  return OK;
};
