/** NOOP (RFC 5321 4.1.1.9): keeps the session alive; its argument is ignored. */
import { OK } from '../replies.ts';
import type { Verb } from '../session.ts';

export const noop: Verb = (session) => {
  session.idleCommands++;
  return OK;
};
