/**
 * Changes of rows by an act or by the clock: who holds, releases, or decides anew, and what a clock looks for.
 *
 * None of them touches a row that somebody has in hand, but for the mark of a hold to come.
 */
import { sql } from 'kysely';
import { LIST_ROWS, TIMER_ROWS } from '../../limits.ts';
import type { HoldColumns } from '../held.ts';
import type { RecipientRow } from '../tables.ts';
import { holdParameters, isTimed, isWaiting, type Leased, type Makers, noHold, type RowKey } from './makers.ts';

export function heldStatements({ statement }: Makers) {
  return {
    /** To be held when its try is over: a crash must not forget it. */
    markHold: statement<Leased & HoldColumns>((db, p) =>
      db
        .updateTable('recipient')
        .set({
          ...holdParameters(p),
        })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease'))
        .where('state', '=', sql.lit('queued')),
    ),
    /** At a start: the tries that they waited for are over. */
    holdMarked: statement<{ like: string }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ state: sql.lit('held'), lease: null, lease_until: null })
        .where('lease', 'like', p('like'))
        .where('hold_class', 'is not', null)
        .where('state', '=', sql.lit('queued')),
    ),
    /** The same of those that `voidExpired` would give back. */
    holdExpired: statement<{ ours: string; now: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ state: sql.lit('held'), lease: null, lease_until: null })
        .where('lease', 'is not', null)
        .where('lease_until', '<=', p('now'))
        .where('lease', 'not like', p('ours'))
        .where('hold_class', 'is not', null)
        .where('state', '=', sql.lit('queued')),
    ),
    retryNow: statement<RowKey & { due: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ due: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isWaiting),
    ),
    /** Its time for trying begins anew: what was held for long must not expire at once. */
    releaseHeld: statement<RowKey & { due: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ ...noHold, state: sql.lit('queued'), due: p('due'), queued_at: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('state', '=', sql.lit('held'))
        .where('lease', 'is', null),
    ),
    /** Not of what somebody else decides about since. */
    releaseOwn: statement<RowKey & { due: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ ...noHold, state: sql.lit('queued'), due: p('due'), queued_at: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('state', '=', sql.lit('held'))
        .where('hold_class', '=', sql.lit('user'))
        .where('lease', 'is', null),
    ),
    reclass: statement<RowKey & Pick<RecipientRow, 'hold_class'>>((db, p) =>
      db
        .updateTable('recipient')
        .set({ hold_class: p('hold_class') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('state', '=', sql.lit('held'))
        .where('lease', 'is', null),
    ),
    /** The clock's release: not of what was held anew meanwhile. */
    letGo: statement<RowKey & { due: number; held_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ ...noHold, state: sql.lit('queued'), due: p('due'), queued_at: p('due') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isTimed)
        .where('held_until', '=', p('held_until')),
    ),
    takeTimed: statement<Leased & { lease_until: number; held_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: p('lease'), lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isTimed)
        .where('held_until', '=', p('held_until')),
    ),
    /** When the clock has something to do. */
    nextHoldEnd: statement<object>((db) =>
      db.selectFrom('recipient').select('held_until').where(isTimed).orderBy('held_until').limit(sql.lit(1)),
    ),
    holdsOver: statement<{ now: number }>((db, p) =>
      db
        .selectFrom('recipient')
        .selectAll()
        .where(isTimed)
        .where('held_until', '<=', p('now'))
        .orderBy('held_until')
        .limit(sql.lit(TIMER_ROWS)),
    ),
    /** Messages of one author, in the order of their keys. */
    messagesOfAuthor: statement<{ author: string; above: number }>((db, p) =>
      db
        .selectFrom('message')
        .select('key')
        .where('author', '=', p('author'))
        .where('key', '>', p('above'))
        .orderBy('key')
        .limit(sql.lit(LIST_ROWS)),
    ),
  };
}
