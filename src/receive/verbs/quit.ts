/** QUIT (RFC 5321 4.1.1.10). */
import type { Reply } from '../../model/reply.ts';
import { NO_ARGUMENT } from '../replies.ts';
import type { Verb } from '../session.ts';

const BYE: Reply = { code: 221, enhanced: '2.0.0', text: 'bye', close: true };

export const quit: Verb = (session, argument) => {
  if (argument !== '') return NO_ARGUMENT;
  session.end = 'quit';
  return BYE;
};
