/** The journal's rows of what the queue does. */
import type { MessageRecord, RecipientRecord } from '../journal/contract.ts';
import type { AttemptDetail, NewMessage, NewRecipient, QueueState } from './contract.ts';
import { idOf } from './ids.ts';
import type { MessageRow, RecipientRow } from './tables.ts';

export function messageRecord(message: NewMessage): MessageRecord {
  return {
    id: message.id,
    at: message.receivedAt,
    session: message.session,
    direction: message.recipients[0]?.direction ?? 'inbound',
    from: message.reversePath?.text ?? '',
    clientAddress: message.clientAddress,
    sizeBytes: message.content.sizeBytes,
    recipients: message.recipients.map(recipientSummary),
    trail: message.trail,
  };
}

function recipientSummary({ address, original, state }: NewRecipient): MessageRecord['recipients'][number] {
  const originally = original.text === address.text ? undefined : original.text;
  if (state === 'queued') return { address: address.text, original: originally, disposition: 'accept' };
  return 'held' in state
    ? { address: address.text, original: originally, disposition: 'hold', reason: state.reason }
    : { address: address.text, original: originally, disposition: 'discard', reason: state.discarded };
}

/** The same from the rows of an earlier run; of recipients that ended meanwhile, their own records tell. */
export function messageRecordOf(message: MessageRow, recipients: readonly RecipientRow[]): MessageRecord {
  return {
    id: idOf(message.key),
    at: message.received_at,
    session: message.session ?? undefined,
    direction: recipients[0]?.direction ?? 'inbound',
    from: message.reverse_path ?? '',
    clientAddress: message.client_address ?? undefined,
    sizeBytes: message.size_bytes,
    recipients: recipients.map((row) => ({
      address: row.address,
      original: row.original ?? undefined,
      disposition: row.state === 'held' ? 'hold' : 'accept',
      reason: row.hold_reason ?? undefined,
    })),
    trail: JSON.parse(message.trail),
  };
}

export function discardedRecord(
  message: NewMessage,
  recipient: NewRecipient,
  at: number,
  reason: string,
): RecipientRecord {
  return { message: message.id, recipient: recipient.address.text, at, state: 'discarded', reply: reason };
}

/** `by` where it was an operator. */
export function attemptRecord(
  message: string,
  recipient: string,
  state: QueueState,
  detail: AttemptDetail,
  by?: string,
): RecipientRecord {
  const { at, host, address, tls, status, reply } = detail;
  return { message, recipient, at, state, by, host, address, tls, status, reply };
}
