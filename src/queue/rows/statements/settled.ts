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
    deleteSettledUpTo: statement<{ seq: number }>((db, p) => db.deleteFrom('settled').where('seq', '<=', p('seq'))),
    settledAbove: statement<{ above: number }>((db, p) =>
      db.selectFrom('settled').selectAll().where('seq', '>', p('above')).orderBy('seq').limit(sql.lit(RECOVERY_ROWS)),
    ),
    mark: statement<{ value: number }>((db, p) =>
      db
        .updateTable('queue_mark')
        .set({ value: p('value') })
        .where('name', '=', sql.lit('journaled')),
    ),
    lowerMark: statement<{ value: number }>((db, p) =>
      db
        .updateTable('queue_mark')
        .set({ value: p('value') })
        .where('name', '=', sql.lit('journaled'))
        .where('value', '>', p('value')),
    ),
  };
}
