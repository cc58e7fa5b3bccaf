/** The queries on received reports. */
import { sql } from 'kysely';
import type { Statement } from '../../store/contract.ts';
import { builder, type Dialect, prepare, statement } from '../../store/statement.ts';
import type { ReportTables } from '../schema.ts';

export type IncomingRow = ReportTables['incoming_report'];
export type SourceRow = ReportTables['incoming_source'];

interface Span {
  readonly domain: string;
  /** Seconds since the epoch. */
  readonly since: number;
  readonly limit: number;
}

export interface IncomingStatements {
  /** Its unit fails if the same report exists. */
  put(params: IncomingRow): Statement;
  putSource(params: SourceRow): Statement;
  countOfDay(params: { domain: string; day: number }): Statement;
  /** Newest first; `before` and `id`: after that row. */
  list(params: {
    domain?: string;
    domains?: readonly string[];
    kind?: string;
    since: number;
    before?: number;
    id?: string;
    limit: number;
  }): Statement;
  one(params: { id: string }): Statement;
  sourcesOf(params: { id: string; limit: number }): Statement;
  bySource(params: Span): Statement;
  byDay(params: Span): Statement;
  forgetSources(params: { before: number }): Statement;
  forget(params: { before: number }): Statement;
}

const SECONDS_A_DAY = 86_400;

export function incomingStatements(dialect: Dialect): IncomingStatements {
  /** Messages, and how many of them have an aligned identifier that passes (RFC 9989 4.4). */
  const sums = [
    sql<number>`sum(messages)`.as('messages'),
    sql<number>`sum(case when dkim = 'pass' or spf = 'pass' then messages else 0 end)`.as('aligned'),
    sql<number>`sum(case when dkim = 'pass' then messages else 0 end)`.as('dkim'),
    sql<number>`sum(case when spf = 'pass' then messages else 0 end)`.as('spf'),
    sql<number>`sum(case when disposition = 'quarantine' then messages else 0 end)`.as('quarantined'),
    sql<number>`sum(case when disposition = 'reject' then messages else 0 end)`.as('rejected'),
  ] as const;
  return {
    put: prepare<IncomingRow, ReportTables>(
      dialect,
      (db, p) =>
        db
          .insertInto('incoming_report')
          .values({
            id: p('id'),
            kind: p('kind'),
            domain: p('domain'),
            organisation: p('organisation'),
            report_id: p('report_id'),
            begins: p('begins'),
            ends: p('ends'),
            received_at: p('received_at'),
            day: p('day'),
            message: p('message'),
            problem: p('problem'),
            raw: p('raw'),
          })
          .onConflict((conflict) => conflict.doNothing()),
      { expect: 'changed' },
    ),
    putSource: prepare<SourceRow, ReportTables>(dialect, (db, p) =>
      db.insertInto('incoming_source').values({
        report: p('report'),
        n: p('n'),
        domain: p('domain'),
        ends: p('ends'),
        source: p('source'),
        messages: p('messages'),
        disposition: p('disposition'),
        dkim: p('dkim'),
        spf: p('spf'),
        header_from: p('header_from'),
        detail: p('detail'),
      }),
    ),
    countOfDay: prepare<{ domain: string; day: number }, ReportTables>(dialect, (db, p) =>
      db
        .selectFrom('incoming_report')
        .select((row) => row.fn.countAll().as('reports'))
        .where('domain', '=', p('domain'))
        .where('day', '=', p('day')),
    ),
    list: ({ domain, domains, kind, since, before, id, limit }) => {
      let query = builder<ReportTables>(dialect)
        .selectFrom('incoming_report')
        .select(['id', 'kind', 'domain', 'organisation', 'begins', 'ends', 'received_at', 'message', 'problem'])
        .select((row) =>
          row
            .selectFrom('incoming_source')
            .select((source) => source.fn.sum('messages').as('messages'))
            .whereRef('incoming_source.report', '=', 'incoming_report.id')
            .as('messages'),
        )
        .where('received_at', '>=', since)
        .orderBy('received_at', 'desc')
        .orderBy('id')
        .limit(limit);
      if (domain !== undefined) query = query.where('domain', '=', domain);
      if (domains !== undefined) query = query.where('domain', 'in', domains.length > 0 ? domains : ['']);
      if (kind !== undefined) query = query.where('kind', '=', kind as never);
      if (before !== undefined)
        query = query.where((row) =>
          row.or([
            row('received_at', '<', before),
            row.and([row('received_at', '=', before), row('id', '>', id ?? '')]),
          ]),
        );
      return statement(query);
    },
    one: prepare<{ id: string }, ReportTables>(dialect, (db, p) =>
      db.selectFrom('incoming_report').selectAll().where('id', '=', p('id')),
    ),
    sourcesOf: prepare<{ id: string; limit: number }, ReportTables>(dialect, (db, p) =>
      db
        .selectFrom('incoming_source')
        .selectAll()
        .where('report', '=', p('id'))
        .orderBy('messages', 'desc')
        .orderBy('n')
        .limit(p('limit')),
    ),
    bySource: prepare<Span, ReportTables>(dialect, (db, p) =>
      db
        .selectFrom('incoming_source')
        .select(['source', ...sums])
        .where('domain', '=', p('domain'))
        .where('ends', '>=', p('since'))
        .where('disposition', 'not in', ['tls', 'failed'])
        .groupBy('source')
        .orderBy('messages', 'desc')
        .orderBy('source')
        .limit(p('limit')),
    ),
    byDay: prepare<Span, ReportTables>(dialect, (db, p) =>
      db
        .selectFrom('incoming_source')
        .select([sql<number>`ends / ${sql.lit(SECONDS_A_DAY)}`.as('day'), ...sums])
        .where('domain', '=', p('domain'))
        .where('ends', '>=', p('since'))
        .where('disposition', 'not in', ['tls', 'failed'])
        .groupBy(sql`ends / ${sql.lit(SECONDS_A_DAY)}`)
        .orderBy('day', 'desc')
        .limit(p('limit')),
    ),
    forgetSources: prepare<{ before: number }, ReportTables>(dialect, (db, p) =>
      db
        .deleteFrom('incoming_source')
        .where('report', 'in', (row) =>
          row.selectFrom('incoming_report').select('id').where('received_at', '<', p('before')),
        ),
    ),
    forget: prepare<{ before: number }, ReportTables>(dialect, (db, p) =>
      db.deleteFrom('incoming_report').where('received_at', '<', p('before')),
    ),
  };
}
