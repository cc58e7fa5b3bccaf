/**
 * Passes messages on their way from receiving to the queue and the journal to the code that counts them: the accepted
 * ones once they are durable, the refused ones when they are answered. Costs a message without DMARC evidence one
 * check.
 */
import type { Journal, MessageRecord } from '../journal/contract.ts';
import type { NewMessage, Queue } from '../queue/contract.ts';

export type ObservedMessage = Pick<MessageRecord, 'at' | 'direction' | 'from' | 'recipients' | 'detail'>;

export function observedQueue(
  queue: Pick<Queue, 'newId' | 'commit'>,
  see: (message: ObservedMessage) => void,
): Pick<Queue, 'newId' | 'commit'> {
  return {
    newId: () => queue.newId(),
    commit(message, also) {
      const committed = queue.commit(message, also);
      return message.detail.evidence['dmarc'] ? committed.then(() => see(observedMessage(message))) : committed;
    },
  };
}

export function observedJournal(
  journal: Pick<Journal, 'session' | 'message'>,
  see: (message: ObservedMessage) => void,
): Pick<Journal, 'session' | 'message'> {
  return {
    session: (record) => journal.session(record),
    message(record) {
      if ('detail' in record && record.detail.evidence['dmarc']) see(record);
      return journal.message(record);
    },
  };
}

function observedMessage({ receivedAt, reversePath, recipients, decided, detail }: NewMessage): ObservedMessage {
  return {
    at: receivedAt,
    direction: recipients[0]?.direction ?? 'inbound',
    from: reversePath?.text ?? '',
    recipients: decided ?? recipients.map(({ address }) => ({ address: address.text, disposition: 'accept' })),
    detail,
  };
}
