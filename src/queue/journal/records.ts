/** The journal's rows of what the queue does. */
import type {
  MessageRow as LoggedMessage,
  RecipientRow as LoggedRecipient,
  MessageRecord,
} from '../../journal/contract.ts';
import { messageRow, recipientRow } from '../../journal/record.ts';
import type { AttemptDetail, NewMessage, NewRecipient, QueueState } from '../contract.ts';
import { idOf } from '../model/ids.ts';
import type { MessageRow } from '../rows/tables.ts';

/** The message as the journal takes it and as its own row keeps it: made into text once. */
export function loggedMessage(message: NewMessage): LoggedMessage {
  return messageRow({
    id: message.id,
    at: message.receivedAt,
    session: message.session,
    direction: message.recipients[0]?.direction ?? 'inbound',
    from: message.reversePath?.text ?? '',
    clientAddress: message.clientAddress,
    sizeBytes: message.content.sizeBytes,
    recipients: message.decided ?? message.recipients.map(recipientSummary),
    detail: message.detail,
  });
}

function recipientSummary({ address, original, state }: NewRecipient): MessageRecord['recipients'][number] {
  const originally = original.text === address.text ? undefined : original.text;
  if (state === 'queued') return { address: address.text, original: originally, disposition: 'accept' };
  return 'held' in state
    ? { address: address.text, original: originally, disposition: 'hold', reason: state.reason }
    : { address: address.text, original: originally, disposition: 'discard', reason: state.discarded };
}

/** The same from the row of an earlier run. */
export function loggedMessageOf(row: MessageRow): LoggedMessage {
  const from = row.reverse_path ?? '';
  const { received_at, session, direction, client_address, size_bytes, subject, header_from, message_id } = row;
  return [
    'message',
    idOf(row.key),
    received_at,
    session,
    direction,
    from,
    client_address,
    size_bytes,
    subject,
    header_from,
    message_id,
    row.recipients,
    row.trail,
  ];
}

export function discardedRecord(
  message: NewMessage,
  recipient: NewRecipient,
  at: number,
  reason: string,
): LoggedRecipient {
  return recipientRow({
    message: message.id,
    recipient: recipient.address.text,
    at,
    state: 'discarded',
    reply: reason,
  });
}

/** `by` where it was an operator. */
export function attemptRecord(
  message: string,
  recipient: string,
  state: QueueState,
  detail: AttemptDetail,
  by?: string,
): LoggedRecipient {
  const { at, host, address, tls, status, reply, earlier } = detail;
  return recipientRow({ message, recipient, at, state, by, host, address, tls, status, reply, earlier });
}
