/** The queries on the counts for aggregate reports. */
import type { Statement } from '../../store/contract.ts';
import { type Dialect, prepare } from '../../store/statement.ts';
import type { ReportTables } from '../schema.ts';

type DayKey = Pick<ReportTables['dmarc_day'], 'day' | 'domain'>;
export type CountRow = ReportTables['dmarc_row'];
export type DayRow = ReportTables['dmarc_day'];

export interface DmarcStatements {
  /** The latest policy stays; the numbers of left-out messages add up. */
  seen(params: DayRow): Statement;
  /** A new row, or more messages in an existing one. */
  add(params: CountRow): Statement;
  /** Only in an existing row. */
  addToKnown(params: Omit<CountRow, 'row'>): Statement;
  rowCount(params: DayKey): Statement;
  rowCountOfDay(params: { day: number }): Statement;
  days(params: { before: number; afterDay: number; afterDomain: string; limit: number }): Statement;
  day(params: DayKey): Statement;
  latestDay(params: { domain: string }): Statement;
  rows(params: DayKey): Statement;
  summary(params: { limit: number }): Statement;
  /** Its unit fails if the report was written meanwhile. */
  finishDay(params: DayKey): Statement;
  finishRows(params: DayKey): Statement;
  forgetDays(params: { before: number }): Statement;
  forgetRows(params: { before: number }): Statement;
}

export function dmarcStatements(dialect: Dialect): DmarcStatements {
  const make = <P extends object>(
    ...args: Parameters<typeof prepare<P, ReportTables>> extends [Dialect, ...infer R] ? R : never
  ) => prepare<P, ReportTables>(dialect, ...args);
  return {
    seen: make<DayRow>((db, p) =>
      db
        .insertInto('dmarc_day')
        .values({ day: p('day'), domain: p('domain'), policy: p('policy'), left_out: p('left_out') })
        .onConflict((conflict) =>
          conflict.columns(['day', 'domain']).doUpdateSet((row) => ({
            policy: row.ref('excluded.policy'),
            left_out: row('dmarc_day.left_out', '+', row.ref('excluded.left_out')),
          })),
        ),
    ),
    add: make<CountRow>((db, p) =>
      db
        .insertInto('dmarc_row')
        .values({ day: p('day'), domain: p('domain'), key: p('key'), row: p('row'), messages: p('messages') })
        .onConflict((conflict) =>
          conflict.columns(['day', 'domain', 'key']).doUpdateSet((row) => ({
            messages: row('dmarc_row.messages', '+', row.ref('excluded.messages')),
          })),
        ),
    ),
    addToKnown: make<Omit<CountRow, 'row'>>((db, p) =>
      db
        .updateTable('dmarc_row')
        .set((row) => ({ messages: row('messages', '+', p('messages')) }))
        .where('day', '=', p('day'))
        .where('domain', '=', p('domain'))
        .where('key', '=', p('key')),
    ),
    rowCount: make<DayKey>((db, p) =>
      db
        .selectFrom('dmarc_row')
        .select((row) => row.fn.countAll().as('rows'))
        .where('day', '=', p('day'))
        .where('domain', '=', p('domain')),
    ),
    rowCountOfDay: make<{ day: number }>((db, p) =>
      db
        .selectFrom('dmarc_row')
        .select((row) => row.fn.countAll().as('rows'))
        .where('day', '=', p('day')),
    ),
    days: make<{ before: number; afterDay: number; afterDomain: string; limit: number }>((db, p) =>
      db
        .selectFrom('dmarc_day')
        .selectAll()
        .where('day', '<', p('before'))
        .where((row) =>
          row.or([
            row('day', '>', p('afterDay')),
            row.and([row('day', '=', p('afterDay')), row('domain', '>', p('afterDomain'))]),
          ]),
        )
        .orderBy('day')
        .orderBy('domain')
        .limit(p('limit')),
    ),
    day: make<DayKey>((db, p) =>
      db.selectFrom('dmarc_day').selectAll().where('day', '=', p('day')).where('domain', '=', p('domain')),
    ),
    latestDay: make<{ domain: string }>((db, p) =>
      db.selectFrom('dmarc_day').selectAll().where('domain', '=', p('domain')).orderBy('day', 'desc').limit(1),
    ),
    rows: make<DayKey>((db, p) =>
      db
        .selectFrom('dmarc_row')
        .selectAll()
        .where('day', '=', p('day'))
        .where('domain', '=', p('domain'))
        .orderBy('messages', 'desc')
        .orderBy('key'),
    ),
    summary: make<{ limit: number }>((db, p) =>
      db
        .selectFrom('dmarc_day')
        .leftJoin('dmarc_row', (join) =>
          join.onRef('dmarc_row.day', '=', 'dmarc_day.day').onRef('dmarc_row.domain', '=', 'dmarc_day.domain'),
        )
        .select((row) => [
          'dmarc_day.day as day',
          'dmarc_day.domain as domain',
          'dmarc_day.policy as policy',
          'dmarc_day.left_out as left_out',
          row.fn.count('dmarc_row.key').as('rows'),
          row.fn.coalesce(row.fn.sum('dmarc_row.messages'), row.lit(0)).as('messages'),
        ])
        .groupBy(['dmarc_day.day', 'dmarc_day.domain', 'dmarc_day.policy', 'dmarc_day.left_out'])
        .orderBy('dmarc_day.day', 'desc')
        .orderBy('dmarc_day.domain')
        .limit(p('limit')),
    ),
    finishDay: make<DayKey>(
      (db, p) => db.deleteFrom('dmarc_day').where('day', '=', p('day')).where('domain', '=', p('domain')),
      { expect: 'changed' },
    ),
    finishRows: make<DayKey>((db, p) =>
      db.deleteFrom('dmarc_row').where('day', '=', p('day')).where('domain', '=', p('domain')),
    ),
    forgetDays: make<{ before: number }>((db, p) => db.deleteFrom('dmarc_day').where('day', '<', p('before'))),
    forgetRows: make<{ before: number }>((db, p) => db.deleteFrom('dmarc_row').where('day', '<', p('before'))),
  };
}
