/**
 * Moves mail that the product wrote itself from the outbox to the queue, where it is signed, sent, retried and given
 * up like any other. Removing it and queueing it is one durable unit, so a letter is sent once; a failure leaves it
 * for the next time.
 */
import type { Directory } from '../directory/contract.ts';
import type { Address } from '../model/address.ts';
import { inspectHeader } from '../protocol/mime/inspect-header.ts';
import { parseAddress } from '../protocol/smtp/address.ts';
import type { NewMessage, NewRecipient, Queue } from '../queue/contract.ts';
import { recipientsFor } from '../queue/dsn/bounce.ts';
import type { Blobs, Database, StagedContent, Statement } from '../store/contract.ts';
import { type OutboxRow, outboxStatements } from '../store/outbox.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import { OUTBOX_BATCH, OUTBOX_EVERY_MS } from './limits.ts';
import type { Job } from './scheduler.ts';

export interface OutboxServices {
  readonly database: Database;
  readonly blobs: Pick<Blobs, 'spool'>;
  readonly queue: Pick<Queue, 'newId' | 'commit'>;
  readonly directory: Pick<Directory, 'resolve'>;
  readonly clock: Clock;
  readonly events: Events;
}

export function outboxJob(services: OutboxServices): Job {
  const { database } = services;
  const sql = outboxStatements(database.dialect);
  return {
    name: 'outbox',
    next: () => OUTBOX_EVERY_MS,
    async run() {
      for (;;) {
        const rows = (await database.read(sql.oldest({ limit: OUTBOX_BATCH }))) as unknown as readonly OutboxRow[];
        for (const row of rows) await send(services, row, sql.take(row));
        if (rows.length < OUTBOX_BATCH) return;
      }
    },
  };
}

async function send(services: OutboxServices, row: OutboxRow, take: Statement): Promise<void> {
  const { database, queue, events, blobs } = services;
  const recipients = await recipientsOf(services, row);
  if (recipients.length === 0) {
    await database.write([take]);
    events.emit('jobs.letter-unusable', { letter: row.id, kind: row.kind, recipients: row.recipients });
    return;
  }
  const id = queue.newId();
  const message = newMessage(services, row, { id, recipients, content: await staged(blobs, row.content) });
  await queue.commit(message, [take]);
  events.emit('jobs.letter-queued', { letter: row.id, kind: row.kind, message: id });
}

async function recipientsOf(services: OutboxServices, row: OutboxRow): Promise<readonly NewRecipient[]> {
  const recipients: NewRecipient[] = [];
  for (const text of JSON.parse(row.recipients) as readonly string[]) {
    const address = addressOf(text);
    if (address) recipients.push(...(await recipientsFor(services, address)));
  }
  return recipients;
}

function addressOf(text: string): Address | null {
  const address = parseAddress(text);
  return address.ok ? address.value : null;
}

async function staged(blobs: OutboxServices['blobs'], content: Uint8Array): Promise<StagedContent> {
  const spool = blobs.spool();
  if (!spool.write(content)) await spool.drained();
  return spool.finish();
}

function newMessage(
  { clock }: OutboxServices,
  row: OutboxRow,
  { id, recipients, content }: Pick<NewMessage, 'id' | 'recipients' | 'content'>,
): NewMessage {
  const { subject, author, messageId } = inspectHeader(row.content, true);
  return {
    id,
    // Mail of the product is signed for the domain of its own From field.
    ...(author.domains[0] !== undefined && { author: `@${author.domains[0]}` }),
    reversePath: row.sender === '' ? null : addressOf(row.sender),
    body: '7BIT',
    smtputf8: false,
    receivedAt: clock.now(),
    content,
    trace: '',
    detail: {
      subject,
      headerFrom: author.shown,
      messageIdHeader: messageId,
      evidence: { outbox: { letter: row.id, kind: row.kind } },
      findings: [],
    },
    recipients,
  };
}
