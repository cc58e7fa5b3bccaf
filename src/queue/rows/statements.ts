/**
 * The queue's SQL, compiled once: a file for each purpose in statements/.
 *
 * States stand in the text as literals, not as parameters: SQLite uses a partial index only where the
 * text itself implies the index's condition.
 */
import type { Dialect } from '../../store/statement.ts';
import { contentsStatements } from './statements/contents.ts';
import { countStatements } from './statements/counts.ts';
import { heldStatements } from './statements/held.ts';
import { leasedStatements } from './statements/leased.ts';
import { type Makers, makersFor } from './statements/makers.ts';
import { settledStatements } from './statements/settled.ts';
import { variantStatements } from './statements/variants.ts';
import { waitingStatements } from './statements/waiting.ts';
import { type ContentRow, MESSAGE_COLUMNS, type MessageRow, RECIPIENT_COLUMNS, type RecipientRow } from './tables.ts';

export type QueueStatements = ReturnType<typeof queueStatements>;

export function queueStatements(dialect: Dialect) {
  const makers = makersFor(dialect);
  return {
    ...commitStatements(makers),
    ...leasedStatements(makers),
    ...heldStatements(makers),
    ...countStatements(makers),
    ...contentsStatements(makers),
    ...settledStatements(makers),
    ...variantStatements(makers),
    ...waitingStatements(makers),
  };
}

function commitStatements({ statement }: Makers) {
  const all = <C extends string>(names: readonly C[], p: (name: C) => unknown) =>
    Object.fromEntries(names.map((name) => [name, p(name)])) as Record<C, never>;
  return {
    insertMessage: statement<MessageRow>((db, p) => db.insertInto('message').values(all(MESSAGE_COLUMNS, p))),
    insertContent: statement<ContentRow>((db, p) =>
      db.insertInto('content').values({ message: p('message'), bytes: p('bytes'), blob: p('blob') }),
    ),
    insertRecipient: statement<RecipientRow>((db, p) => db.insertInto('recipient').values(all(RECIPIENT_COLUMNS, p))),
  };
}

/** Rows of one table, from a reader that knows only SQL values. */
export function rowsOf<T>(rows: readonly unknown[]): readonly T[] {
  return rows as readonly T[];
}
