/** Ends a session on our side: the last reply, then the connection closes. */
import type { Reply } from '../model/reply.ts';
import { formatReply } from '../protocol/smtp/reply.ts';
import { addReply } from './dialogue.ts';
import type { SmtpSession } from './session.ts';

export function end(session: SmtpSession, reply: Reply, how: 'shutdown' | 'refused'): void {
  session.end ??= how;
  addReply(session.dialogue, reply);
  session.connection.send(formatReply(reply));
  session.connection.close(how === 'shutdown' ? 'shutdown' : 'closed-by-us');
}
