/** Whether a refusal asks for TLS: after a fallback to clear text it is no verdict on the message. */
import { type Reply, replyText } from '../model/reply.ts';

/** RFC 3207 4: 530. RFC 5248 2.4 and RFC 4954 6: 523 and 538, encryption needed, and needed for the mechanism. */
const CODES: readonly number[] = [523, 530, 538];
/** Many use text, after a policy status or none: `451 5.7.3 STARTTLS is required to send mail`. */
const WORDS = /\b(starttls|tls|ssl|encrypt(ed|ion)?)\b/i;

export function asksForTls(reply: Reply): boolean {
  const { code, enhanced = '5.7.0' } = reply;
  return CODES.includes(code) || (/^[45]\.7\./.test(enhanced) && WORDS.test(replyText(reply)));
}
