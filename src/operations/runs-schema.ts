/** Acts in the background: a row each, kept for a while after their end. */
import { columns } from '../store/columns.ts';
import type { Statement } from '../store/contract.ts';
import type { StoreMigration } from '../store/migration.ts';
import { type Dialect, prepare } from '../store/statement.ts';
import { KEPT_RUNS } from './limits.ts';

export const RUN_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface RunRow {
  readonly id: string;
  /** The node that runs it: a node marks its own interrupted runs. */
  readonly node: string;
  readonly operation: string;
  readonly actor: string;
  /** In the form of the audit. */
  readonly input: string;
  readonly state: RunState;
  readonly done: number;
  readonly started_at: number;
  readonly ended_at: number | null;
  /** JSON: `{output}` or `{error: {code, message}}`; null while it runs, and if it is too long. */
  readonly outcome: string | null;
}

export interface RunTables {
  operation_run: RunRow;
}

export const runMigration: StoreMigration = {
  name: '0054-operation-runs',
  async up(db, dialect) {
    const { integer, text, clustered } = columns(dialect);
    const table = db.schema
      .createTable('operation_run')
      .addColumn('id', text, (column) => column.notNull().primaryKey())
      .addColumn('node', text, (column) => column.notNull())
      .addColumn('operation', text, (column) => column.notNull())
      .addColumn('actor', text, (column) => column.notNull())
      .addColumn('input', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('done', integer, (column) => column.notNull())
      .addColumn('started_at', integer, (column) => column.notNull())
      .addColumn('ended_at', integer)
      .addColumn('outcome', text);
    await clustered(table).execute();
  },
};

type Change = Pick<RunRow, 'id' | 'state' | 'done' | 'ended_at' | 'outcome'>;

export interface RunStatements {
  add(row: RunRow): Statement;
  change(change: Change): Statement;
  /** Ids begin with the time: the oldest are deleted. */
  trim(params: Record<never, never>): Statement;
  one(params: { id: string }): Statement;
  unfinished(params: { node: string }): Statement;
  interrupt(params: { node: string; ended_at: number }): Statement;
  /** Newest first, after an id; of one actor, or of all if it is null. */
  page(params: { actor: string | null; after: string; limit: number }): Statement;
}

export function runStatements(dialect: Dialect): RunStatements {
  return {
    add: prepare<RunRow, RunTables>(dialect, (db, p) =>
      db.insertInto('operation_run').values({
        id: p('id'),
        node: p('node'),
        operation: p('operation'),
        actor: p('actor'),
        input: p('input'),
        state: p('state'),
        done: p('done'),
        started_at: p('started_at'),
        ended_at: p('ended_at'),
        outcome: p('outcome'),
      }),
    ),
    change: prepare<Change, RunTables>(dialect, (db, p) =>
      db
        .updateTable('operation_run')
        .set({ state: p('state'), done: p('done'), ended_at: p('ended_at'), outcome: p('outcome') })
        .where('id', '=', p('id')),
    ),
    trim: prepare<Record<never, never>, RunTables>(dialect, (db) =>
      db
        .deleteFrom('operation_run')
        .where('ended_at', 'is not', null)
        .where('id', '<', (eb) =>
          eb
            .selectFrom((newest) =>
              newest.selectFrom('operation_run').select('id').orderBy('id', 'desc').limit(KEPT_RUNS).as('newest'),
            )
            .select((one) => one.fn.min<string>('newest.id').as('oldest')),
        ),
    ),
    one: prepare<{ id: string }, RunTables>(dialect, (db, p) =>
      db.selectFrom('operation_run').selectAll().where('id', '=', p('id')),
    ),
    unfinished: prepare<{ node: string }, RunTables>(dialect, (db, p) =>
      db.selectFrom('operation_run').select('id').where('node', '=', p('node')).where('ended_at', 'is', null).limit(1),
    ),
    interrupt: prepare<{ node: string; ended_at: number }, RunTables>(dialect, (db, p) =>
      db
        .updateTable('operation_run')
        .set({ state: 'interrupted', ended_at: p('ended_at') })
        .where('node', '=', p('node'))
        .where('ended_at', 'is', null),
    ),
    page: prepare<{ actor: string | null; after: string; limit: number }, RunTables>(dialect, (db, p) =>
      db
        .selectFrom('operation_run')
        .selectAll()
        .where('id', '<', p('after'))
        .where((row) => row.or([row(row.cast(row.val(p('actor')), 'text'), 'is', null), row('actor', '=', p('actor'))]))
        .orderBy('id', 'desc')
        .limit(p('limit')),
    ),
  };
}
