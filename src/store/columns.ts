/**
 * Column types and table options by dialect, for migrations: the only words in which they differ.
 */
import { type ColumnDataType, type CreateTableBuilder, sql } from 'kysely';
import type { Dialect } from './statement.ts';

export interface Columns {
  /** 64 bits; as a primary key it is SQLite's own row number. */
  readonly integer: ColumnDataType;
  readonly text: 'text';
  readonly bytes: ColumnDataType;
  /** Rows live in the primary key's tree itself: one tree fewer to write. PostgreSQL has nothing alike. */
  clustered<T extends string, C extends string>(table: CreateTableBuilder<T, C>): CreateTableBuilder<T, C>;
}

const COLUMNS: Record<Dialect, Columns> = {
  sqlite: {
    integer: 'integer',
    text: 'text',
    bytes: 'blob',
    clustered: (table) => table.modifyEnd(sql`without rowid`),
  },
  postgres: { integer: 'bigint', text: 'text', bytes: 'bytea', clustered: (table) => table },
};

export function columns(dialect: Dialect): Columns {
  return COLUMNS[dialect];
}
