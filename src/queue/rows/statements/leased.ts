/**
 * Changes of rows that somebody has in hand: how a lease begins, what a try leaves, how it is given back.
 *
 * An `insisting` one fails its whole unit where the lease was lost.
 */
import { sql } from 'kysely';
import type { HoldColumns } from '../held.ts';
import type { RecipientRow } from '../tables.ts';
import { holdParameters, isWaiting, type Leased, type Makers } from './makers.ts';

export function leasedStatements({ statement, insisting }: Makers) {
  return {
    /** The row ends; fails where the lease was lost. */
    endLeased: insisting<Leased>((db, p) =>
      db
        .deleteFrom('recipient')
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    requeueLeased: insisting<Leased & Pick<RecipientRow, 'due' | 'attempts' | 'last'>>((db, p) =>
      db
        .updateTable('recipient')
        .set({ due: p('due'), attempts: p('attempts'), last: p('last'), lease: null, lease_until: null })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    holdLeased: insisting<Leased & HoldColumns & Pick<RecipientRow, 'last' | 'attempts'>>((db, p) =>
      db
        .updateTable('recipient')
        .set({
          state: sql.lit('held'),
          ...holdParameters(p),
          last: p('last'),
          attempts: p('attempts'),
          lease: null,
          lease_until: null,
        })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    /** As it was, but held. */
    holdUntried: insisting<Leased & HoldColumns>((db, p) =>
      db
        .updateTable('recipient')
        .set({
          state: sql.lit('held'),
          ...holdParameters(p),
          lease: null,
          lease_until: null,
        })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    warnedLeased: insisting<Leased>((db, p) =>
      db
        .updateTable('recipient')
        .set({ warned: 1, lease: null, lease_until: null })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    /** Given back untried. */
    releaseLeased: statement<Leased>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: null, lease_until: null })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    renewLease: statement<Leased & { lease_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where('lease', '=', p('lease')),
    ),
    takeLease: statement<Leased & { lease_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: p('lease'), lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n'))
        .where(isWaiting),
    ),
    /** Whatever its state and its lease: an operator's word goes first. */
    seize: statement<Leased & { lease_until: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: p('lease'), lease_until: p('lease_until') })
        .where('message', '=', p('message'))
        .where('n', '=', p('n')),
    ),
    /** Of starts that are over: `like` matches their leases. */
    voidLeases: statement<{ like: string }>((db, p) =>
      db.updateTable('recipient').set({ lease: null, lease_until: null }).where('lease', 'like', p('like')),
    ),
    /** Of nodes that did not renew them; not those that `ours` matches. */
    voidExpired: statement<{ ours: string; now: number }>((db, p) =>
      db
        .updateTable('recipient')
        .set({ lease: null, lease_until: null })
        .where('lease', 'is not', null)
        .where('lease_until', '<=', p('now'))
        .where('lease', 'not like', p('ours'))
        .returning(['destination', 'due']),
    ),
  };
}
