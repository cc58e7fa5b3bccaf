/**
 * Indexes messages by their terms, some thousands at a time.
 *
 * A full-text table is cheap to fill in bulk and dear to fill row by row, so the newest messages, the
 * tail, stay unindexed until there are enough; a search scans them (search.ts). What arrives with an
 * older key than the index has reached (journaled again after a crash) is kept in `late` until then.
 * The terms of the tail are kept in memory as it grows; after a start or a rollback its rows are read.
 */
import type { DatabaseSync } from 'node:sqlite';
import { PARTITION_MESSAGES, TAIL_MESSAGES } from './limits.ts';
import { createPartition, partitionTable } from './schema.ts';
import { createTail, type Terms, termsOf } from './tail.ts';
import { messageTerms, TERMED_COLUMNS, type Termed } from './terms.ts';

export interface TermIndex {
  /** A message row was inserted under this key. */
  added(n: number, row: Termed): void;
  /** Indexes the tail if it is at least so long (default TAIL_MESSAGES); part of the transaction that is open. */
  catchUp(from?: number): void;
  /** Reads its state again after a rollback. */
  reload(): void;
}

export function createTermIndex(db: DatabaseSync): TermIndex {
  const sql = {
    late: db.prepare('INSERT INTO late (n) VALUES (?)'),
    forgetLate: db.prepare('DELETE FROM late'),
    upTo: db.prepare('SELECT up_to FROM indexed'),
    setUpTo: db.prepare('UPDATE indexed SET up_to = ?'),
    tailLength: db.prepare(
      'SELECT (SELECT count(*) FROM messages WHERE n > ?) + (SELECT count(*) FROM late) AS length',
    ),
    tail: db.prepare(`${TERMED} WHERE n > ? ORDER BY n`),
    lateRows: db.prepare(`${TERMED} WHERE n IN (SELECT n FROM late) ORDER BY n`),
    partitionOf: db.prepare(
      'SELECT number, messages FROM partitions WHERE first <= ? ORDER BY first DESC, number DESC LIMIT 1',
    ),
    lastPartition: db.prepare('SELECT max(number) AS number FROM partitions'),
    count: db.prepare('UPDATE partitions SET messages = messages + ? WHERE number = ?'),
  };
  const kept = createTail();
  let upTo = 0;
  let tail = 0;
  /** `kept` has all of the tail. */
  let isWhole = false;

  const reload = (): void => {
    upTo = (sql.upTo.get() as { up_to: number }).up_to;
    tail = (sql.tailLength.get(upTo) as { length: number }).length;
    isWhole = tail === 0;
    kept.clear();
  };

  const readTail = (): Terms => {
    const rows = [...sql.lateRows.all(), ...sql.tail.all(upTo)];
    return termsOf(rows as unknown as (Termed & { readonly n: number })[]);
  };

  const addTo = (partition: number, rows: Terms, from: number, to: number): void => {
    const insert = db.prepare(`INSERT INTO ${partitionTable(partition)} (rowid, terms) VALUES (?, ?)`);
    for (let i = from; i < to; i++) insert.run(rows.key(i), rows.terms(i));
    sql.count.run(to - from, partition);
  };
  const partitionFor = (n: number): { number: number; messages: number } =>
    (sql.partitionOf.get(n) as { number: number; messages: number } | undefined) ?? newPartition(0);
  const newPartition = (first: number): { number: number; messages: number } => {
    const number = ((sql.lastPartition.get() as { number: number | null }).number ?? 0) + 1;
    createPartition(db, number, first);
    return { number, messages: 0 };
  };

  /** Up to `end`; rows of one partition are neighbours, as both are in order of key. */
  const addLate = (rows: Terms, end: number): void => {
    for (let from = 0; from < end; ) {
      const { number } = partitionFor(rows.key(from));
      let to = from + 1;
      while (to < end && partitionFor(rows.key(to)).number === number) to++;
      addTo(number, rows, from, to);
      from = to;
    }
    sql.forgetLate.run();
  };
  const addNew = (rows: Terms, from: number): void => {
    const newest = partitionFor(Number.MAX_SAFE_INTEGER);
    const isFull = newest.messages + rows.length - from > PARTITION_MESSAGES;
    addTo((isFull ? newPartition(rows.key(from)) : newest).number, rows, from, rows.length);
    upTo = rows.key(rows.length - 1);
    sql.setUpTo.run(upTo);
  };

  reload();
  return {
    added(n, row) {
      if (n <= upTo) sql.late.run(n);
      isWhole &&= kept.add(n, messageTerms(row));
      tail++;
    },
    catchUp(from = TAIL_MESSAGES) {
      if (tail < from) return;
      const rows = isWhole ? kept.inOrder() : readTail();
      let late = 0;
      while (late < rows.length && rows.key(late) <= upTo) late++;
      addLate(rows, late);
      if (late < rows.length) addNew(rows, late);
      tail = 0;
      isWhole = true;
      kept.clear();
    },
    reload,
  };
}

const TERMED = `SELECT ${TERMED_COLUMNS} FROM messages`;
