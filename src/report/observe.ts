/**
 * Messages on their way from receiving to the queue and the journal, shown to whoever counts them: the
 * accepted ones once they are durable, the refused ones as they are told. What is shown costs a
 * message without DMARC evidence one look.
 */
import type { Journal, MessageRecord } from '../journal/contract.ts';
import type { NewMessage, Queue } from '../queue/contract.ts';

export type SeenMessage = Pick<MessageRecord, 'at' | 'direction' | 'from' | 'recipients' | 'trail'>;

export function observedQueue(
  queue: Pick<Queue, 'newId' | 'commit'>,
  see: (message: SeenMessage) => void,
): Pick<Queue, 'newId' | 'commit'> {
  return {
    newId: () => queue.newId(),
    commit(message, also) {
      const committed = queue.commit(message, also);
      return message.trail.evidence['dmarc'] ? committed.then(() => see(seenMessage(message))) : committed;
    },
  };
}

export function observedJournal(
  journal: Pick<Journal, 'session' | 'message'>,
  see: (message: SeenMessage) => void,
): Pick<Journal, 'session' | 'message'> {
  return {
    session: (record) => journal.session(record),
    message(record) {
      if ('trail' in record && record.trail.evidence['dmarc']) see(record);
      return journal.message(record);
    },
  };
}

function seenMessage({ receivedAt, reversePath, recipients, decided, trail }: NewMessage): SeenMessage {
  return {
    at: receivedAt,
    direction: recipients[0]?.direction ?? 'inbound',
    from: reversePath?.text ?? '',
    recipients: decided ?? recipients.map(({ address }) => ({ address: address.text, disposition: 'accept' })),
    trail,
  };
}
