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
import { messageTerms, TERMED_COLUMNS, type Termed } from './terms.ts';

export interface TermIndex {
  /** A message row was inserted under this key. */
  added(n: number, row: Termed): void;
  /** Indexes the tail if it is at least so long (default TAIL_MESSAGES); part of the transaction that is open. */
  catchUp(from?: number): void;
  /** Reads its state again after a rollback. */
  reload(): void;
}

interface Indexed {
  readonly n: number;
  readonly terms: string;
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
  let upTo = 0;
  let tail = 0;
  /** Of the tail, as far as it came since `reload`. */
  let known: Indexed[] = [];

  const reload = (): void => {
    upTo = (sql.upTo.get() as { up_to: number }).up_to;
    tail = (sql.tailLength.get(upTo) as { length: number }).length;
    known = [];
  };

  const readTail = (): Indexed[] => {
    const rows = [...sql.lateRows.all(), ...sql.tail.all(upTo)] as unknown as (Termed & { readonly n: number })[];
    return rows.map((row) => ({ n: row.n, terms: messageTerms(row) }));
  };

  const addTo = (partition: number, rows: readonly Indexed[]): void => {
    const insert = db.prepare(`INSERT INTO ${partitionTable(partition)} (rowid, terms) VALUES (?, ?)`);
    for (const { n, terms } of rows) insert.run(n, terms);
    sql.count.run(rows.length, partition);
  };
  const partitionFor = (n: number): { number: number; messages: number } =>
    (sql.partitionOf.get(n) as { number: number; messages: number } | undefined) ?? newPartition(0);
  const newPartition = (first: number): { number: number; messages: number } => {
    const number = ((sql.lastPartition.get() as { number: number | null }).number ?? 0) + 1;
    createPartition(db, number, first);
    return { number, messages: 0 };
  };

  /** Rows of one partition are neighbours, as both are in order of key. */
  const addLate = (rows: readonly Indexed[]): void => {
    let group: { readonly partition: number; readonly rows: Indexed[] } | undefined;
    for (const row of rows) {
      const { number } = partitionFor(row.n);
      if (group && group.partition !== number) addTo(group.partition, group.rows);
      if (group?.partition !== number) group = { partition: number, rows: [] };
      group.rows.push(row);
    }
    if (group) addTo(group.partition, group.rows);
    sql.forgetLate.run();
  };

  reload();
  return {
    added(n, row) {
      if (n <= upTo) sql.late.run(n);
      known.push({ n, terms: messageTerms(row) });
      tail++;
    },
    catchUp(from = TAIL_MESSAGES) {
      if (tail < from) return;
      const all = known.length === tail ? known.sort((a, b) => a.n - b.n) : readTail();
      addLate(all.filter(({ n }) => n <= upTo));
      const rows = all.filter(({ n }) => n > upTo);
      const [first, last] = [rows[0], rows.at(-1)];
      if (first && last) {
        const newest = partitionFor(Number.MAX_SAFE_INTEGER);
        const full = newest.messages + rows.length > PARTITION_MESSAGES;
        addTo((full ? newPartition(first.n) : newest).number, rows);
        upTo = last.n;
        sql.setUpTo.run(upTo);
      }
      tail = 0;
      known = [];
    },
    reload,
  };
}

const TERMED = `SELECT ${TERMED_COLUMNS} FROM messages`;
