/**
 * What the sender is told as soon as the message is queued: that an alias with several targets
 * expanded it (RFC 3461 5.2.7.3), after which the copies ask for no success reports of their own; and
 * that a recipient was refused too late to say so in the session.
 */
import { type Reply, replyText } from '../../model/reply.ts';
import type { NewMessage, NewRecipient } from '../contract.ts';
import { composeNotice, type NoticeParts } from './bounce.ts';
import { type Notice, wants, withoutSuccess } from './notices.ts';

export interface WithImmediateDsn {
  readonly message: NewMessage;
  /** To be queued in the same unit. */
  readonly report?: NewMessage;
}

/** Asked of every message, so it is quick where there is nothing to tell. */
export function needsImmediateDsn({ recipients, reversePath }: NewMessage): boolean {
  return reversePath !== null && recipients.some((recipient) => asksForSuccess(recipient) || lateRefusal(recipient));
}

export async function withImmediateDsn(parts: NoticeParts, message: NewMessage): Promise<WithImmediateDsn> {
  const at = parts.clock.now();
  const addressed = new Map<string, Notice>();
  for (const recipient of message.recipients) {
    const { original, orcpt } = recipient;
    const refusal = lateRefusal(recipient);
    if (refusal) {
      const { code, enhanced = '5.0.0' } = refusal;
      const detail = { at, status: enhanced, reply: `${code} ${enhanced} ${replyText(refusal)}`, remote: false };
      addressed.set(original.text, { action: 'failed', recipient: { address: original, original, orcpt }, detail });
    }
    if (!asksForSuccess(recipient)) continue;
    const detail = { at, status: '2.0.0', reply: 'sent on to several addresses', remote: false };
    addressed.set(original.text, { action: 'expanded', recipient: { address: original, original, orcpt }, detail });
  }
  const { content, detail } = message;
  const notices = [...addressed.values()];
  const report = notices.length > 0 ? await composeNotice(parts, { message, content, detail }, notices) : undefined;
  const recipients = message.recipients.map((recipient) =>
    asksForSuccess(recipient) ? { ...recipient, notify: withoutSuccess(recipient.notify) } : recipient,
  );
  return { message: { ...message, recipients }, report };
}

function lateRefusal({ state, notify }: NewRecipient): Reply | undefined {
  return state !== 'queued' && 'held' in state && wants(notify, 'failure') ? state.tellSender : undefined;
}

function asksForSuccess({ expanded, notify }: NewRecipient): boolean {
  return expanded === true && wants(notify, 'success');
}
