/** Messages that were tried and wait for their next try, as rows of the queue made by its own code. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { parseAddress } from '../../src/protocol/smtp/address.ts';
import type { NewMessage, NewRecipient } from '../../src/queue/contract.ts';
import { loggedMessage } from '../../src/queue/journal/records.ts';
import { createIdSource, idOf } from '../../src/queue/model/ids.ts';
import { messageRow, recipientRow } from '../../src/queue/rows/rows.ts';
import { queueStatements } from '../../src/queue/rows/statements.ts';
import type { StagedContent, Statement } from '../../src/store/contract.ts';
import { systemClock } from '../../src/world/clock.ts';

const HOUR_MS = 3_600_000;
const CONTENT_BYTES = 1_000;
const MONTH_MS = 30 * 24 * HOUR_MS;
const HELD_FOR = ['user', 'admin', 'operator'] as const;
const HELD_BY = ['dmarc', 'spf', 'author', 'lists'];
const HELD_SENDERS = 50_000;

export interface QueueSeed {
  readonly rows: number;
  readonly destinations: number;
}

/** One recipient each; first tried an hour ago, due again in two to six hours. */
export function* waitingMessages({ rows, destinations }: QueueSeed): Generator<Statement> {
  const sql = queueStatements('sqlite');
  const now = systemClock.now();
  const queuedAt = now - HOUR_MS;
  const ids = createIdSource({ ...systemClock, now: () => queuedAt }, 0, 0);
  const content = stagedContent();
  let key = 0;
  for (let n = 0; n < rows; n++) {
    key = ids.next();
    const recipient = waitingRecipient(`waiting-${n % destinations}.example`);
    const message = { ...waitingMessage(idOf(key), queuedAt, content), recipients: [recipient] };
    const place = {
      id: message.id,
      message: key,
      n: 0,
      now: queuedAt,
      variant: null,
      lease: null,
      leaseUntil: null,
      wantsDelayWarning: true,
      sender: 'bob@example.com',
      subject: 'waiting',
    };
    yield sql.insertMessage(messageRow(message, key, loggedMessage(message)));
    yield sql.insertContent({ message: key, bytes: content.bytes!, blob: null });
    const due = now + 2 * HOUR_MS + ((n * 7919) % (4 * HOUR_MS));
    yield sql.insertRecipient({ ...recipientRow(recipient, place), due, attempts: 3 });
  }
  yield sql.mark({ name: 'journaled', value: key });
}

export interface HeldSeed {
  readonly rows: number;
  readonly domains: number;
  /** Of each domain. */
  readonly users: number;
}

/** One recipient each, held by turns for users, administrators and operators, over the last month. */
export function* heldMessages({ rows, domains, users }: HeldSeed): Generator<Statement> {
  const sql = queueStatements('sqlite');
  const now = systemClock.now();
  let at = now - MONTH_MS;
  const ids = createIdSource({ ...systemClock, now: () => at }, 0, 0);
  const content = stagedContent();
  let key = 0;
  for (let n = 0; n < rows; n++) {
    at = now - MONTH_MS + Math.floor((n / rows) * MONTH_MS);
    key = ids.next();
    const to = address(`user-${Math.floor(n / domains) % users}@held-${n % domains}.example`);
    const by = { check: HELD_BY[n % HELD_BY.length]!, code: 'seeded' };
    const state = { held: HELD_FOR[n % HELD_FOR.length]!, reason: 'looks like spam', by };
    const recipient: NewRecipient = { address: to, original: to, direction: 'inbound', destination: to.domain, state };
    const reversePath = address(heldSender(n));
    const subject = `invoice ${n % 1000}`;
    const message = { ...waitingMessage(idOf(key), at, content), reversePath, recipients: [recipient] };
    const place = {
      id: message.id,
      message: key,
      n: 0,
      now: at,
      variant: null,
      lease: null,
      leaseUntil: null,
      wantsDelayWarning: false,
      sender: reversePath.text,
      subject,
    };
    yield sql.insertMessage({ ...messageRow(message, key, loggedMessage(message)), subject });
    yield sql.insertContent({ message: key, bytes: content.bytes!, blob: null });
    yield sql.insertRecipient(recipientRow(recipient, place));
  }
  yield sql.mark({ name: 'journaled', value: key });
}

/** Of the n-th held message. */
export function heldSender(n: number): string {
  return `sender-${n % HELD_SENDERS}@elsewhere-${n % 1000}.example`;
}

function waitingMessage(id: string, receivedAt: number, content: StagedContent): NewMessage {
  return {
    id,
    reversePath: address('bob@example.com'),
    body: '7BIT',
    smtputf8: false,
    receivedAt,
    content,
    trace: `Received: from client.example by mx.postern.example with ESMTP id ${id}; Sun, 22 Nov 2026 12:00:00 +0000\r\n`,
    detail: { subject: 'waiting', headerFrom: 'bob@example.com', evidence: {}, findings: [] },
    recipients: [],
  };
}

function waitingRecipient(domain: string): NewRecipient {
  const to = address(`someone@${domain}`);
  return { address: to, original: to, direction: 'outbound', destination: domain, state: 'queued' };
}

function stagedContent(): StagedContent {
  const header = 'From: <bob@example.com>\r\nSubject: waiting\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\n';
  const bytes = Buffer.from(header + `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(CONTENT_BYTES / 72)));
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes,
    open: () => Readable.from([bytes]),
    home: { kind: 'row', pieces: [bytes] },
    discard: () => {},
  };
}

function address(text: string): NewRecipient['address'] {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(`cannot seed ${text}, as it must be an address`);
  return parsed.value;
}
