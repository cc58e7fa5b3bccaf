/** Retention: deletes what is older than the settings say, a few hundred rows a step, oldest first. */
import type { DatabaseSync } from 'node:sqlite';
import { EXPIRE_ROWS } from './limits.ts';
import { firstKey, partitionTable } from './schema.ts';

export interface Retention {
  readonly days: number;
  readonly auditDays: number;
  /** Of the database; undefined: as its disk and its age have it (size.ts). */
  readonly maxBytes?: number;
}

const DAY_MS = 86_400_000;

/** One step, in a transaction of its own. True when there may be more. Throws what SQLite throws. */
export function expireStep(db: DatabaseSync, retention: Retention, nowMs: number): boolean {
  const before = firstKey(nowMs - retention.days * DAY_MS);
  const auditBefore = firstKey(nowMs - retention.auditDays * DAY_MS);
  db.exec('BEGIN IMMEDIATE');
  try {
    const deleted = [
      deleteChanges(db, before),
      deleteOldest(db, 'messages', before),
      deleteOldest(db, 'sessions', before),
      deleteOldest(db, 'session_counts', before),
      deleteOldest(db, 'refusal_counts', before),
      deleteOldest(db, 'audit', auditBefore),
      // A block is as young as the youngest of its lines, so an expired one is needed by nobody.
      deleteOldest(db, 'blocks', before),
      deleteOldest(db, 'refused_blocks', before),
    ];
    dropOldestPartition(db, before);
    db.exec('COMMIT');
    return deleted.some((rows) => rows >= EXPIRE_ROWS);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function deleteOldest(db: DatabaseSync, table: string, before: number): number {
  const statement = db.prepare(
    `DELETE FROM ${table} WHERE n IN (SELECT n FROM ${table} WHERE n < ? ORDER BY n LIMIT ${EXPIRE_ROWS})`,
  );
  return Number(statement.run(before).changes);
}

/** The changes of those messages that the same step deletes. */
function deleteChanges(db: DatabaseSync, before: number): number {
  const expired = `SELECT id FROM messages WHERE n < ? ORDER BY n LIMIT ${EXPIRE_ROWS}`;
  return Number(db.prepare(`DELETE FROM changes WHERE message IN (${expired})`).run(before).changes);
}

/** A partition ends where the next begins; the terms of a message that is gone find nothing until then. */
function dropOldestPartition(db: DatabaseSync, before: number): void {
  const oldest = db
    .prepare(
      `SELECT number FROM (SELECT number, lead(first) OVER (ORDER BY first, number) AS next FROM partitions)
       WHERE next <= ? ORDER BY number LIMIT 1`,
    )
    .get(before) as { number: number } | undefined;
  if (oldest) dropPartition(db, oldest.number);
}

export function dropPartition(db: DatabaseSync, number: number): void {
  db.exec(`DROP TABLE ${partitionTable(number)}`);
  db.prepare('DELETE FROM partitions WHERE number = ?').run(number);
}
