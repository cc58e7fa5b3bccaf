/** What the queue's statements share: how they are prepared, and conditions in the words of the partial indexes. */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import { type Dialect, prepare } from '../../../store/statement.ts';
import type { QueueTables, RecipientRow } from '../tables.ts';

export type RowKey = Pick<RecipientRow, 'message' | 'n'>;
export type Leased = RowKey & { readonly lease: string };
export type Hold = Pick<RecipientRow, 'hold_class' | 'hold_reason' | 'held_until' | 'held_then'>;
export type ByMessage = { readonly message: number };

export type Builder<P extends object> = Parameters<typeof prepare<P, QueueTables>>[1];

export type Makers = ReturnType<typeof makersFor>;

export function makersFor(dialect: Dialect) {
  return {
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

export const noHold = { hold_class: null, hold_reason: null, held_until: null, held_then: null } as const;

/** Columns of a hold, from the parameters of its names. */
export function holdColumns<T>(p: (name: keyof Hold) => T): Record<keyof Hold, T> {
  return {
    hold_class: p('hold_class'),
    hold_reason: p('hold_reason'),
    held_until: p('held_until'),
    held_then: p('held_then'),
  };
}
