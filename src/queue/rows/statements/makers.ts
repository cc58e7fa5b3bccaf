/** What the queue's statements share: how they are prepared, and conditions in the words of the partial indexes. */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import { type Dialect, prepare } from '../../../store/statement.ts';
import { type HoldColumns, NOT_HELD } from '../held.ts';
import type { QueueTables, RecipientRow } from '../tables.ts';

export type RowKey = Pick<RecipientRow, 'message' | 'n'>;
export type Leased = RowKey & { readonly lease: string };
export type ByMessage = { readonly message: number };

export type Builder<P extends object> = Parameters<typeof prepare<P, QueueTables>>[1];

export type Makers = ReturnType<typeof makersFor>;

export function makersFor(dialect: Dialect) {
  return {
    dialect,
    statement: <P extends object>(build: Builder<P>) => prepare<P, QueueTables>(dialect, build),
    /** Its unit fails where it changes no row. */
    insisting: <P extends object>(build: Builder<P>) => prepare<P, QueueTables>(dialect, build, { expect: 'changed' }),
  };
}

/** `state = 'queued' and lease is null`, as the partial indexes say it. */
export function isWaiting(
  eb: ExpressionBuilder<QueueTables, 'recipient'>,
): ExpressionWrapper<QueueTables, 'recipient', SqlBool> {
  return eb.and([eb('state', '=', sql.lit('queued')), eb('lease', 'is', null)]);
}

/** Held until a time, and nobody has it in hand; as the partial index says it. */
export function isTimed(
  eb: ExpressionBuilder<QueueTables, 'recipient'>,
): ExpressionWrapper<QueueTables, 'recipient', SqlBool> {
  return eb.and([eb('state', '=', sql.lit('held')), eb('lease', 'is', null), eb('held_until', 'is not', null)]);
}

export const noHold = {
  hold_class: null,
  hold_reason: null,
  held_until: null,
  held_then: null,
  ...NOT_HELD,
} as const;

/** All that is set when a row is held, as the parameters of a statement. */
export function holdParameters<T>(p: (name: keyof HoldColumns) => T): Record<keyof HoldColumns, T> {
  const names = Object.keys(noHold) as (keyof HoldColumns)[];
  return Object.fromEntries(names.map((name) => [name, p(name)])) as Record<keyof HoldColumns, T>;
}
