/**
 * Writes log.db: batches of rows into an open transaction, committed by the caller.
 *
 * Synchronous, so it belongs in the writing thread. A message row that is there already (journaled
 * again after a crash) changes nothing, nor does a recipient's change. Throws what SQLite throws; the
 * caller rolls back and writes the same rows again, or sets the file aside.
 */
import { DatabaseSync } from 'node:sqlite';
import { type Batch, rowsOf } from './batch.ts';
import { addLine, isFull, type OpenBlock, packBlock } from './block.ts';
import { changeText } from './changes.ts';
import { CHECKPOINT_PAGES, PAGE_CACHE_KIB } from './limits.ts';
import type { MessageRow, RecipientRow, SessionRow } from './record.ts';
import { keyOf, migrate } from './schema.ts';
import { createTermIndex, type TermIndex } from './term-index.ts';

export interface LogWriter {
  readonly db: DatabaseSync;
  readonly index: TermIndex;
  /** Changes of messages in the same batch are written with these. */
  write(batch: Batch): void;
  commit(): void;
  /** Never throws: SQLite may have rolled back by itself. */
  rollback(): void;
  close(): void;
}

type BlockKind = 'kept' | 'refused';

/** Errors: those of SQLite, and `journal.schema-newer`. */
export function openLogWriter(path: string, now: () => number): LogWriter {
  const db = new DatabaseSync(path, { timeout: 1_000 });
  try {
    return prepare(db, now);
  } catch (error) {
    db.close();
    throw error;
  }
}

function prepare(db: DatabaseSync, now: () => number): LogWriter {
  // FULL: what `durable()` promises is on disk; at two commits a second that costs nothing.
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${PAGE_CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA temp_store = MEMORY;`);
  migrate(db);
  const sql = statements(db);
  const index = createTermIndex(db);
  let open = false;
  let counter = 0;
  /** Of mail that counts, and of what goes first where the log is too large. */
  const blocks: Record<BlockKind, OpenBlock | undefined> = { kept: undefined, refused: undefined };
  let lastBlock = Number((sql.lastBlock.get() as { n: number | null }).n ?? 0);

  const begin = (): void => {
    if (open) return;
    sql.begin.run();
    open = true;
  };
  const closeBlock = (kind: BlockKind): void => {
    const block = blocks[kind];
    if (block) (kind === 'kept' ? sql.block : sql.refusedBlock).run(block.n, packBlock(block));
    blocks[kind] = undefined;
  };
  /** The detail of a row, as `block` and `line` of it. */
  const keep = (kind: BlockKind, detail: Uint8Array): readonly [block: number, line: number] => {
    let block = blocks[kind];
    if (block && isFull(block)) closeBlock(kind);
    block = blocks[kind];
    if (!block) {
      lastBlock = Math.max(lastBlock + 1, keyOf(now(), 0));
      block = { n: lastBlock, lines: [], bytes: 0 };
      blocks[kind] = block;
    }
    return [kind === 'kept' ? block.n : -block.n, addLine(block, detail)];
  };

  /** Under a key of that time which is free (`insert` says whether it was), else of a millisecond soon after. */
  const atFreeKey = (at: number, insert: (n: number) => boolean): void => {
    counter++;
    for (let lateMs = 0; !insert(keyOf(at + lateMs, counter)); lateMs++);
  };

  const change = (row: RecipientRow): void => void sql.change.run(row[1], row[3], row[2], row[4], row[5]);
  const message = (row: MessageRow<Uint8Array>, changes: readonly RecipientRow[] = []): void => {
    const [, id, at, session, direction, from, client, size, subject, headerFrom, messageId, recipients, detail] = row;
    const [block, line] = keep(direction === 'refused' ? 'refused' : 'kept', detail);
    const columns = [id, session, direction, from, client, size, subject, headerFrom, messageId, recipients] as const;
    const together = changes.length === 0 ? null : `[${changes.map(changeText).join()}]`;
    atFreeKey(at, (n) => {
      if (sql.message.run(n, ...columns, block, line, together).changes === 1) {
        index.added(n, { sender: from, client, direction, subject, message_id: messageId, recipients });
        return true;
      }
      if (sql.hasMessage.get(id) === undefined) return false;
      for (const one of changes) change(one);
      return true;
    });
  };
  const session = ([, id, startedAt, endedAt, client, end, accepted, detail]: SessionRow<Uint8Array>): void => {
    const home = keep(accepted === 0 ? 'refused' : 'kept', detail);
    atFreeKey(endedAt, (n) => sql.session.run(n, id, startedAt, client, end, accepted, ...home).changes === 1);
  };

  return {
    db,
    index,
    write(batch) {
      begin();
      const changes = new Map<string, RecipientRow[]>();
      for (const row of rowsOf(batch, ['recipient'])) {
        const others = changes.get(row[1]);
        if (others) others.push(row);
        else changes.set(row[1], [row]);
      }
      for (const row of rowsOf(batch, ['message', 'session', 'session-count', 'refusal-count', 'audit'])) {
        switch (row[0]) {
          case 'message':
            message(row, changes.get(row[1]));
            changes.delete(row[1]);
            break;
          case 'session':
            session(row);
            break;
          case 'session-count':
            atFreeKey(row[3], (n) => sql.sessionCount.run(n, row[1], row[2], row[4]).changes === 1);
            break;
          case 'refusal-count': {
            const [, network, since, until, ...counted] = row;
            atFreeKey(until, (n) => sql.refusalCount.run(n, network, since, ...counted).changes === 1);
            break;
          }
          case 'audit':
            atFreeKey(row[1], (n) => sql.audit.run(n, row[2], row[3], row[4], row[5], row[6]).changes === 1);
            break;
        }
      }
      for (const rows of changes.values()) rows.forEach(change);
    },
    commit() {
      begin();
      closeBlock('kept');
      closeBlock('refused');
      index.catchUp();
      sql.commit.run();
      open = false;
    },
    rollback() {
      blocks.kept = undefined;
      blocks.refused = undefined;
      open = false;
      try {
        if (db.isTransaction) db.exec('ROLLBACK');
      } finally {
        index.reload();
      }
    },
    close: () => db.close(),
  };
}

function statements(db: DatabaseSync) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    message: db.prepare(
      `INSERT INTO messages (n, id, session, direction, sender, client, size, subject, header_from, message_id, recipients, block, line, changes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
    hasMessage: db.prepare('SELECT 1 FROM messages WHERE id = ?'),
    change: db.prepare(
      'INSERT INTO changes (message, at, recipient, state, detail) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    session: db.prepare(
      `INSERT INTO sessions (n, id, started_at, client, ended_by, accepted, block, line)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
    sessionCount: db.prepare(
      'INSERT INTO session_counts (n, network, since, sessions) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    refusalCount: db.prepare(
      `INSERT INTO refusal_counts (n, network, since, transactions, recipients, replies)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ),
    audit: db.prepare(
      'INSERT INTO audit (n, actor, operation, input, result, detail) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    block: db.prepare('INSERT INTO blocks (n, data) VALUES (?, ?)'),
    refusedBlock: db.prepare('INSERT INTO refused_blocks (n, data) VALUES (?, ?)'),
    lastBlock: db.prepare(
      'SELECT max(n) AS n FROM (SELECT max(n) AS n FROM blocks UNION SELECT max(n) FROM refused_blocks)',
    ),
  };
}
