/** VRFY (RFC 5321 3.5.3, 7.3): does not disclose whether an address exists. */
import type { Reply } from '../../model/reply.ts';
import type { Verb } from '../session.ts';

const WILL_TRY: Reply = { code: 252, enhanced: '2.0.0', text: 'send some mail, and it will be tried' };
const WHOM: Reply = { code: 501, enhanced: '5.5.4', text: 'VRFY must be followed by an address' };

export const vrfy: Verb = (session, argument) => {
  session.idleCommands++;
  return argument === '' ? WHOM : WILL_TRY;
};
