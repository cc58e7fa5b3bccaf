/**
 * Walks through the messages of the log with evidence and findings of each, newest first, as a report does.
 * Neighbours share a block, so each block is unpacked once or twice. Synchronous, for a thread; in one
 * read transaction, on a connection of its own. Errors: `journal.schema-newer`, and those of SQLite.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { readLines } from './block.ts';
import { type MessageDetail, readUnspoken } from './detail.ts';
import { OPEN_BLOCKS, PAGE_CACHE_KIB } from './limits.ts';
import { firstKey, keyTime, SCHEMA_VERSION, schemaNewer } from './schema.ts';
import type { StoredMessage } from './search.ts';
import type { LoggedRecipient } from './terms.ts';

export interface WalkedMessage {
  readonly id: string;
  readonly at: number;
  readonly direction: string;
  /** Null: the product wrote it itself. */
  readonly session: string | null;
  readonly recipients: readonly LoggedRecipient[];
  /** Absent where its block is gone. */
  readonly detail?: Omit<MessageDetail, 'dialogue'>;
}

/** Milliseconds since the epoch; `until` is exclusive. `visit` returns false to end the walk. */
export function walkMessages(
  path: string,
  { since, until }: { readonly since: number; readonly until?: number },
  visit: (message: WalkedMessage) => boolean,
): void {
  if (!existsSync(path)) return;
  const db = new DatabaseSync(path, { timeout: 2_000 });
  try {
    // Not opened read-only: after a crash the write-ahead log must be recovered before it can be read.
    db.exec(`PRAGMA query_only = 1; PRAGMA cache_size = -${PAGE_CACHE_KIB}; BEGIN`);
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version === 0) return;
    if (version > SCHEMA_VERSION) throw schemaNewer(version);
    const lineOf = openBlocks(db);
    const rows = db
      .prepare(
        'SELECT n, id, direction, session, recipients, block, line FROM messages WHERE n >= ? AND n < ? ORDER BY n DESC',
      )
      .iterate(firstKey(since), until === undefined ? Number.MAX_SAFE_INTEGER : firstKey(until));
    for (const row of rows as Iterable<unknown> as Iterable<StoredMessage>) {
      const { id, n, direction, session, block, line } = row;
      const text = lineOf(block, line);
      const recipients = JSON.parse(row.recipients) as LoggedRecipient[];
      const detail = text ? readUnspoken(text, recipients) : undefined;
      if (!visit({ id, at: keyTime(n), direction, session, recipients, ...(detail && { detail }) })) return;
    }
  } finally {
    db.close();
  }
}

/** The lines of the blocks read last. */
function openBlocks(db: DatabaseSync): (block: number, line: number) => string | undefined {
  const accepted = db.prepare('SELECT data FROM blocks WHERE n = ?');
  const refused = db.prepare('SELECT data FROM refused_blocks WHERE n = ?');
  const open = new Map<number, readonly string[]>();
  return (block, line) => {
    let lines = open.get(block);
    if (!lines) {
      const found = (block < 0 ? refused : accepted).get(Math.abs(block)) as { data: Uint8Array } | undefined;
      lines = found ? readLines(found.data) : [];
      const [oldest] = open.keys();
      if (open.size >= OPEN_BLOCKS && oldest !== undefined) open.delete(oldest);
      open.set(block, lines);
    }
    return lines[line];
  };
}
