/** An SMTP reply as every room passes it: the grammar's own value. */
import type { Reply } from '../protocol/smtp/types.ts';

export type { Reply } from '../protocol/smtp/types.ts';

export type ReplyClass = 'success' | 'intermediate' | 'transient' | 'permanent';

/** RFC 5321 4.2.1: the first digit decides. */
export function replyClass(code: number): ReplyClass {
  if (code >= 500) return 'permanent';
  if (code >= 400) return 'transient';
  return code >= 300 ? 'intermediate' : 'success';
}

export function replyText(reply: Reply): string {
  return typeof reply.text === 'string' ? reply.text : reply.text.join(' ');
}
