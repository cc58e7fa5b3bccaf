/**
 * The outbox: mail that the product itself writes waits here. A room that causes mail puts `letter` in
 * the unit of the change that causes it, so that neither exists without the other; jobs/outbox.ts
 * moves it to the queue, exactly once.
 */
import { columns } from './columns.ts';
import type { Statement } from './contract.ts';
import type { StoreMigration } from './migration.ts';
import { type Dialect, prepare } from './statement.ts';

/** A whole message with its envelope. */
export interface Letter {
  /** Unique; letters leave in the order of their ids. */
  readonly id: string;
  /** Why it was written: `dmarc-aggregate`, `dmarc-failure`; for the log. */
  readonly kind: string;
  /** The reverse-path; empty for the null one. */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** RFC 5322, CRLF, 7-bit. */
  readonly content: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

interface OutboxTables {
  outbox: {
    id: string;
    kind: string;
    sender: string;
    /** JSON. */
    recipients: string;
    content: Uint8Array;
    created_at: number;
  };
}

export type OutboxRow = OutboxTables['outbox'];

export interface OutboxStatements {
  letter(letter: Letter): Statement;
  oldest(params: { limit: number }): Statement;
  /** Its unit fails where somebody took the letter before. */
  take(params: { id: string }): Statement;
}

export const outboxMigrations: readonly StoreMigration[] = [
  {
    name: '0020-outbox',
    async up(db, dialect) {
      const { integer, text, bytes, clustered } = columns(dialect);
      const table = db.schema
        .createTable('outbox')
        .addColumn('id', text, (column) => column.notNull().primaryKey())
        .addColumn('kind', text, (column) => column.notNull())
        .addColumn('sender', text, (column) => column.notNull())
        .addColumn('recipients', text, (column) => column.notNull())
        .addColumn('content', bytes, (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull());
      await clustered(table).execute();
    },
  },
];

export function outboxStatements(dialect: Dialect): OutboxStatements {
  const put = prepare<OutboxRow, OutboxTables>(dialect, (db, p) =>
    db.insertInto('outbox').values({
      id: p('id'),
      kind: p('kind'),
      sender: p('sender'),
      recipients: p('recipients'),
      content: p('content'),
      created_at: p('created_at'),
    }),
  );
  return {
    letter: ({ recipients, createdAt, ...letter }) =>
      put({ ...letter, recipients: JSON.stringify(recipients), created_at: createdAt }),
    oldest: prepare<{ limit: number }, OutboxTables>(dialect, (db, p) =>
      db.selectFrom('outbox').selectAll().orderBy('id').limit(p('limit')),
    ),
    take: prepare<{ id: string }, OutboxTables>(dialect, (db, p) => db.deleteFrom('outbox').where('id', '=', p('id')), {
      expect: 'changed',
    }),
  };
}
