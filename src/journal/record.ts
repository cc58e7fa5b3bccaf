/**
 * Records as flat tuples of primitives, of which bytes are soon made (batch.ts); what only a detailed
 * view reads is one JSON line, and the last of them.
 */
import type { AuditRecord, MessageRecord, RecipientRecord, SessionRecord } from './contract.ts';
import { detailText } from './detail.ts';
import { withDialogue } from './dialogue.ts';

export type MessageRow<Detail = string> = readonly [
  kind: 'message',
  id: string,
  at: number,
  session: string | null,
  direction: string,
  from: string,
  client: string | null,
  sizeBytes: number,
  subject: string | null,
  headerFrom: string | null,
  messageIdHeader: string | null,
  /** JSON of MessageRecord.recipients. */
  recipients: string,
  /** Of `detailText`. */
  detail: Detail,
];
export type RecipientRow = readonly [
  kind: 'recipient',
  message: string,
  recipient: string,
  at: number,
  state: string,
  /** JSON of RecipientDetail. */
  detail: string,
];
export type SessionRow<Detail = string> = readonly [
  kind: 'session',
  id: string,
  startedAt: number,
  endedAt: number,
  client: string,
  end: string,
  messagesAccepted: number,
  /** JSON of SessionRecord. */
  detail: Detail,
];
export type SessionCountRow = readonly [
  kind: 'session-count',
  network: string,
  since: number,
  until: number,
  count: number,
];
export type RefusalCountRow = readonly [
  kind: 'refusal-count',
  network: string,
  since: number,
  until: number,
  transactions: number,
  recipients: number,
  /** JSON: how often each reply was given. */
  replies: string,
];
export type AuditRow = readonly [
  kind: 'audit',
  at: number,
  actor: string,
  operation: string,
  input: string,
  result: string,
  detail: string | null,
];
export type LogRow = MessageRow | RecipientRow | SessionRow | SessionCountRow | RefusalCountRow | AuditRow;

/** As the writing thread has it: details are lines of bytes, which go into a block as they are. */
export type BatchRow = MessageRow<Uint8Array> | SessionRow<Uint8Array> | Exclude<LogRow, MessageRow | SessionRow>;

export type RecipientDetail = Pick<RecipientRecord, 'by' | 'host' | 'address' | 'tls' | 'status' | 'reply' | 'earlier'>;

export function messageRow(record: MessageRecord): MessageRow {
  const { detail } = record;
  return [
    'message',
    record.id,
    record.at,
    record.session ?? null,
    record.direction,
    record.from,
    record.clientAddress ?? null,
    record.sizeBytes,
    detail.subject ?? null,
    detail.headerFrom ?? null,
    detail.messageIdHeader ?? null,
    JSON.stringify(record.recipients),
    detailText(detail, record.recipients),
  ];
}

function sessionText({ facts, endedAt, end, dialogue, messagesAccepted, reason }: SessionRecord): string {
  const told = JSON.stringify({ facts, endedAt, end, messagesAccepted, reason });
  return withDialogue(told.slice(0, -1), dialogue);
}

/** What a row takes before it is compressed, about: its texts. */
export function rowCharacters(row: LogRow): number {
  let characters = 0;
  for (const value of row) if (typeof value === 'string') characters += value.length;
  return characters;
}

export function recipientRow(record: RecipientRecord): RecipientRow {
  const { message, recipient, at, state, by, host, address, tls, status, reply, earlier } = record;
  const detail: RecipientDetail = { by, host, address, tls, status, reply, earlier };
  return ['recipient', message, recipient, at, state, JSON.stringify(detail)];
}

export function sessionRow(record: SessionRecord): SessionRow {
  const { facts, endedAt, end, messagesAccepted } = record;
  return [
    'session',
    facts.id,
    facts.startedAt,
    endedAt,
    facts.client.address,
    end,
    messagesAccepted,
    sessionText(record),
  ];
}

export function auditRow(record: AuditRecord): AuditRow {
  const { at, actor, operation, input, result, detail } = record;
  return ['audit', at, actor, operation, input, result, detail ?? null];
}
