/**
 * One connection to a SQLite file, with every statement prepared once.
 *
 * Imported by worker threads too, so it imports next to nothing.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Row, Statement } from '../contract.ts';
import { BUSY_TIMEOUT_MS, CACHE_KB, CACHED_STATEMENTS, CHECKPOINT_PAGES } from '../limits.ts';

export interface Connection {
  readonly database: DatabaseSync;
  /** Rows of a statement that returns some, else how many it changed. */
  execute(statement: Statement): number | Row[];
  close(): void;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

export function connect(path: string, options: { readonly readOnly: boolean }): Connection {
  const database = new DatabaseSync(path, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT_MS });
  try {
    configure(database, options.readOnly);
  } catch (error) {
    database.close();
    throw error;
  }
  const prepared = new Map<string, Prepared>();

  const find = (sql: string): Prepared => {
    let found = prepared.get(sql);
    if (!found) {
      if (prepared.size >= CACHED_STATEMENTS) prepared.clear();
      const statement = database.prepare(sql);
      found = { statement, returnsRows: statement.columns().length > 0 };
      prepared.set(sql, found);
    }
    return found;
  };

  return {
    database,
    execute({ sql, parameters }) {
      const { statement, returnsRows } = find(sql);
      const values = parameters as SQLInputValue[];
      return returnsRows ? (statement.all(...values) as Row[]) : Number(statement.run(...values).changes);
    },
    close: () => database.close(),
  };
}

function configure(database: DatabaseSync, readOnly: boolean): void {
  database.exec(`pragma cache_size = -${CACHE_KB}; pragma temp_store = memory; pragma foreign_keys = off`);
  if (readOnly) return;
  database.exec('pragma journal_mode = wal');
  // A commit is on disk when it returns.
  database.exec('pragma synchronous = full');
  database.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  // After a burst the log file shrinks again.
  database.exec(`pragma journal_size_limit = ${CHECKPOINT_PAGES * 4096 * 4}`);
}
