/**
 * An alias with several targets ends the sender's wish to hear of success (RFC 3461 5.2.7.3): he is
 * told `expanded` once, and the copies ask for no success reports of their own.
 */
import type { Notify } from '../model/envelope.ts';
import { composeNotice, type NoticeParts } from './bounce.ts';
import type { NewMessage, NewRecipient } from './contract.ts';
import { keyOf } from './ids.ts';
import { type Notice, wants } from './notices.ts';

export interface Expanded {
  readonly message: NewMessage;
  /** To be queued in the same unit. */
  readonly report?: NewMessage;
}

/** Asked of every message, so it is quick where nothing was expanded. */
export function isExpanded({ recipients, reversePath }: NewMessage): boolean {
  return reversePath !== null && recipients.some(asksForSuccess);
}

export async function expand(parts: NoticeParts, message: NewMessage): Promise<Expanded> {
  const at = parts.clock.now();
  const addressed = new Map<string, Notice>();
  for (const recipient of message.recipients) {
    if (!asksForSuccess(recipient)) continue;
    const { original, orcpt } = recipient;
    const detail = { at, status: '2.0.0', reply: 'sent on to several addresses', remote: false };
    addressed.set(original.text, { action: 'expanded', recipient: { address: original, original, orcpt }, detail });
  }
  const about = { key: keyOf(message.id) ?? 0, message, content: message.content, trail: message.trail };
  const report = await composeNotice(parts, about, [...addressed.values()]);
  const recipients = message.recipients.map((recipient) =>
    asksForSuccess(recipient) ? { ...recipient, notify: withoutSuccess(recipient.notify) } : recipient,
  );
  return { message: { ...message, recipients }, report };
}

function asksForSuccess({ expanded, notify }: NewRecipient): boolean {
  return expanded === true && wants(notify, 'success');
}

function withoutSuccess(notify: Notify | undefined): Notify {
  const left = notify === undefined || notify === 'never' ? [] : notify.filter((kind) => kind !== 'success');
  return left.length === 0 ? 'never' : left;
}
