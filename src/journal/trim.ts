/**
 * Keeps log.db within its size: deletes the rows of refused transactions and of sessions without a
 * message, oldest first, a few hundred a step. Rows of accepted mail and of audit stay until their days are
 * over (expire.ts), whatever the size; so do the newest of the refused, which an administrator looks for.
 */
import type { DatabaseSync } from 'node:sqlite';
import { dropPartition } from './expire.ts';
import { EXPIRE_ROWS, TRIM_BLOCK_DELAY_MS, TRIM_KEEP_MS, TRIM_SCAN_ROWS } from './limits.ts';
import { firstKey } from './schema.ts';
import { usedBytes } from './size.ts';

export interface Trimmed {
  readonly rows: number;
  /** `fits`: nothing to do; `more`: go on; `over`: too large, and nothing is left that may go. */
  readonly state: 'fits' | 'more' | 'over';
}

export interface Trim {
  /** One step, in a transaction of its own. Throws what SQLite throws. */
  step(db: DatabaseSync, maxBytes: number, nowMs: number): Trimmed;
}

/** Below the bound by so much, so that not every row of a flood has its own step. */
const LOW_WATER = 0.98;

export function createTrim(): Trim {
  /** Up to here nothing refused is left, but for what came late with an older key: days take that. */
  let done = 0;
  let isGoing = false;
  return {
    step(db, maxBytes, nowMs) {
      if (usedBytes(db) <= (isGoing ? LOW_WATER * maxBytes : maxBytes)) {
        isGoing = false;
        return { rows: 0, state: 'fits' };
      }
      isGoing = true;
      const end = firstKey(nowMs - TRIM_KEEP_MS);
      const upTo = Math.min(end, ...LISTS.map((list) => reach(db, list, done)));
      const rows = upTo > done ? remove(db, done, upTo) : 0;
      done = Math.max(done, upTo);
      return { rows, state: rows === 0 && upTo >= end ? 'over' : 'more' };
    },
  };
}

interface List {
  readonly table: string;
  /** Which of its rows may go. */
  readonly where: string;
}

const LISTS: readonly List[] = [
  { table: 'messages', where: "direction = 'refused'" },
  { table: 'sessions', where: 'accepted = 0' },
  { table: 'session_counts', where: 'true' },
  { table: 'refusal_counts', where: 'true' },
];

/** The key up to which a step may go: so many rows are looked at, so many deleted. Infinite where there are fewer. */
function reach(db: DatabaseSync, { table, where }: List, from: number): number {
  const last = (condition: string, rows: number): number => {
    const sql = `SELECT n FROM ${table} WHERE n >= ? AND ${condition} ORDER BY n LIMIT 1 OFFSET ${rows}`;
    return (db.prepare(sql).get(from) as { n: number } | undefined)?.n ?? Number.POSITIVE_INFINITY;
  };
  const scanned = last('true', TRIM_SCAN_ROWS);
  const within = `n IN (SELECT n FROM ${table} WHERE n >= ${from} ORDER BY n LIMIT ${TRIM_SCAN_ROWS}) AND ${where}`;
  return Math.min(scanned, last(within, EXPIRE_ROWS));
}

function remove(db: DatabaseSync, from: number, upTo: number): number {
  db.exec('BEGIN IMMEDIATE');
  try {
    let rows = 0;
    for (const { table, where } of LISTS)
      rows += Number(db.prepare(`DELETE FROM ${table} WHERE n >= ? AND n < ? AND ${where}`).run(from, upTo).changes);
    // A block holds what was written within a moment; the one that begins last may still be needed.
    db.prepare('DELETE FROM refused_blocks WHERE n < ?').run(upTo - firstKey(TRIM_BLOCK_DELAY_MS));
    dropEmptyPartitions(db, upTo);
    db.exec('COMMIT');
    return rows;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Search terms of messages that are all gone. */
function dropEmptyPartitions(db: DatabaseSync, upTo: number): void {
  const partitions = db
    .prepare(
      `SELECT number, first, next FROM (SELECT number, first, lead(first) OVER (ORDER BY first, number) AS next FROM partitions)
       WHERE next <= ?`,
    )
    .all(upTo) as { number: number; first: number; next: number }[];
  const isNeeded = db.prepare('SELECT 1 FROM messages WHERE n >= ? AND n < ? LIMIT 1');
  for (const { number, first, next } of partitions) if (!isNeeded.get(first, next)) dropPartition(db, number);
}
