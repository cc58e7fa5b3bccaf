/**
 * The part of the log that concerns some domains: messages to which their settings applied (journal/filter.ts), and
 * of a message only their recipients. Dialogues and sessions name everybody, so they are shown only to actors of all
 * domains; evidence and findings only if all recipients of a message are the actor's.
 */
import type { FoundMessage } from '../../journal/search.ts';
import type { ShownMessage, ShownSession } from '../../journal/show.ts';
import type { Page } from '../../model/page.ts';
import type { Has } from '../reach.ts';

interface Recipient {
  readonly address: string;
  readonly original?: string;
}

interface Message {
  readonly direction: string;
  readonly from: string;
}

/** `has` decides about domains; it is asked for one at a time. */
function isTheirs(message: Message, recipient: Recipient, has: Has): boolean {
  const whose = message.direction === 'outbound' ? [message.from] : [recipient.address, recipient.original ?? ''];
  return whose.some((address) => has([address.slice(address.lastIndexOf('@') + 1).toLowerCase()]));
}

export function cutMessages<C>(page: Page<FoundMessage> & C, has: Has): Page<FoundMessage> & C {
  const rows = page.rows.flatMap((found) => {
    const recipients = found.recipients.filter((recipient) => isTheirs(found, recipient, has));
    if (recipients.length === 0) return [];
    if (recipients.length === found.recipients.length) return [{ ...found, session: null }];
    const kinds = new Set(recipients.map(({ disposition }) => disposition));
    const disposition = kinds.size === 1 ? [...kinds][0]! : 'mixed';
    return [{ ...found, session: null, recipients, disposition, to: recipients.map(({ address }) => address) }];
  });
  return { ...page, rows };
}

export function cutShown(shown: ShownMessage | ShownSession, has: Has): ShownMessage | undefined {
  if (shown.kind === 'session') return undefined;
  const recipients = shown.recipients.filter((recipient) => isTheirs(shown, recipient, has));
  if (recipients.length === 0) return undefined;
  const { session: _, ...message } = shown;
  if (recipients.length === shown.recipients.length) return { ...message, sessionId: null };
  const addresses = new Set(recipients.map(({ address }) => address));
  return {
    ...message,
    sessionId: null,
    recipients,
    detail: { evidence: {}, findings: [] },
    changes: shown.changes.filter(({ recipient }) => addresses.has(recipient)),
  };
}
