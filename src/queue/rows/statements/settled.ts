/**
 * Rows that ended, and how far the journal has them (journal/journaling.ts).
 */
import { sql } from 'kysely';
import { RECOVERY_ROWS } from '../../limits.ts';
import type { SettledRow } from '../tables.ts';
import type { Makers } from './makers.ts';

export function settledStatements({ statement }: Makers) {
  return {
    insertSettled: statement<SettledRow>((db, p) =>
      db.insertInto('settled').values({ seq: p('seq'), message: p('message'), record: p('record') }),
    ),
    deleteSettledUpTo: statement<{ from: number; seq: number }>((db, p) =>
      db.deleteFrom('settled').where('seq', '>', p('from')).where('seq', '<=', p('seq')),
    ),
    settledAbove: statement<{ above: number; to: number }>((db, p) =>
      db
        .selectFrom('settled')
        .selectAll()
        .where('seq', '>', p('above'))
        .where('seq', '<=', p('to'))
        .orderBy('seq')
        .limit(sql.lit(RECOVERY_ROWS)),
    ),
    /** Unless there is one. */
    beginMark: statement<{ name: string; value: number }>((db, p) =>
      db
        .insertInto('queue_mark')
        .values({ name: p('name'), value: p('value') })
        .onConflict((conflict) => conflict.column('name').doNothing()),
    ),
    mark: statement<{ name: string; value: number }>((db, p) =>
      db
        .updateTable('queue_mark')
        .set({ value: p('value') })
        .where('name', '=', p('name')),
    ),
    lowerMark: statement<{ name: string; value: number }>((db, p) =>
      db
        .updateTable('queue_mark')
        .set({ value: p('value') })
        .where('name', '=', p('name'))
        .where('value', '>', p('value')),
    ),
  };
}
