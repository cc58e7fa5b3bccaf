/**
 * Everything about one message, or one session: what the administrator reads at three in the morning.
 * Synchronous, for the reading thread or an offline command. Undefined where the log has no such id.
 */
import type { DatabaseSync } from 'node:sqlite';
import { readLine } from './block.ts';
import { changesOf, type StoredChange } from './changes.ts';
import type { SessionRecord } from './contract.ts';
import { type MessageDetail, readDetail } from './detail.ts';
import { SESSION_MESSAGES } from './limits.ts';
import { firstKey, keyTime } from './schema.ts';
import type { StoredMessage } from './search.ts';
import type { LoggedRecipient } from './terms.ts';

export interface ShownMessage {
  readonly kind: 'message';
  readonly id: string;
  /** Milliseconds since the epoch, here and below. */
  readonly at: number;
  readonly direction: string;
  readonly from: string;
  readonly headerFrom: string | null;
  readonly subject: string | null;
  readonly messageId: string | null;
  readonly client: string | null;
  readonly sizeBytes: number;
  readonly sessionId: string | null;
  /** Absent while the session goes on, or where the log does not have it. */
  readonly session?: SessionRecord;
  readonly recipients: readonly LoggedRecipient[];
  readonly detail: MessageDetail;
  /** In order of time. */
  readonly changes: readonly StoredChange[];
}

export interface ShownSession {
  readonly kind: 'session';
  readonly session: SessionRecord;
  /** Ids of its messages, oldest first, bounded. */
  readonly messages: readonly string[];
}

export function showById(db: DatabaseSync, id: string): ShownMessage | ShownSession | undefined {
  return showMessage(db, id) ?? showSession(db, id);
}

function showMessage(db: DatabaseSync, id: string): ShownMessage | undefined {
  const row = db.prepare('SELECT * FROM messages WHERE id = ?').get(id) as unknown as StoredMessage | undefined;
  if (!row) return undefined;
  const recipients = JSON.parse(row.recipients) as LoggedRecipient[];
  const stored = detail(db, row);
  return {
    kind: 'message',
    id,
    at: keyTime(row.n),
    direction: row.direction,
    from: row.sender,
    headerFrom: row.header_from,
    subject: row.subject,
    messageId: row.message_id,
    client: row.client,
    sizeBytes: row.size,
    sessionId: row.session,
    session: row.session === null ? undefined : findSession(db, row.session),
    recipients,
    detail: stored === undefined ? { evidence: {}, findings: [] } : readDetail(stored, recipients),
    changes: changesOf(db)(row),
  };
}

function showSession(db: DatabaseSync, id: string): ShownSession | undefined {
  const session = findSession(db, id);
  if (!session) return undefined;
  // Keys are times, so its messages lie between its start and its end; no index on sessions is needed.
  const messages = db
    .prepare(`SELECT id FROM messages WHERE n >= ? AND n < ? AND session = ? ORDER BY n LIMIT ${SESSION_MESSAGES}`)
    .all(firstKey(session.facts.startedAt), firstKey(session.endedAt + 1), id) as { id: string }[];
  return { kind: 'session', session, messages: messages.map((message) => message.id) };
}

function findSession(db: DatabaseSync, id: string): SessionRecord | undefined {
  const row = db.prepare('SELECT block, line FROM sessions WHERE id = ?').get(id) as
    | { block: number; line: number }
    | undefined;
  return row && (detail(db, row) as SessionRecord | undefined);
}

function detail(db: DatabaseSync, home: { readonly block: number; readonly line: number }): unknown {
  const table = home.block < 0 ? 'refused_blocks' : 'blocks';
  const found = db.prepare(`SELECT data FROM ${table} WHERE n = ?`).get(Math.abs(home.block));
  const block = found as { data: Uint8Array } | undefined;
  return block && readLine(block.data, home.line);
}
