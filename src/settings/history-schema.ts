/**
 * The tables of the history of settings: each changed value, by the revision that changed it. The revision is counted
 * in the database, so that it survives restarts and is one count for all nodes. The statement that records a change
 * reads `before` itself. Written in the unit of the change.
 */
import { sql } from 'kysely';
import { columns } from '../store/columns.ts';
import type { Statement } from '../store/contract.ts';
import type { StoreMigration } from '../store/migration.ts';
import { type Dialect, prepare } from '../store/statement.ts';
import { HISTORY_VALUES } from './limits.ts';
import type { SettingTables } from './schema.ts';

export interface HistoryTables extends SettingTables {
  /** One row. */
  setting_revision: { id: number; revision: number };
  setting_change: {
    revision: number;
    owner: string;
    key: string;
    /** JSON; null: not set, or a secret. */
    before: string | null;
    after: string | null;
    /** 1: the history keeps only that it changed. */
    secret: number;
    changed_at: number;
    changed_by: string;
    comment: string;
  };
}

export type ChangeRow = HistoryTables['setting_change'];

export const historyMigration: StoreMigration = {
  name: '0050-settings-history',
  async up(db, dialect) {
    const { integer, text, clustered } = columns(dialect);
    const revision = db.schema
      .createTable('setting_revision')
      .addColumn('id', integer, (column) => column.notNull().primaryKey())
      .addColumn('revision', integer, (column) => column.notNull());
    await clustered(revision).execute();
    await db
      .insertInto('setting_revision')
      .values({ id: sql.lit(1), revision: sql.lit(0) })
      .execute();
    const change = db.schema
      .createTable('setting_change')
      .addColumn('revision', integer, (column) => column.notNull())
      .addColumn('owner', text, (column) => column.notNull())
      .addColumn('key', text, (column) => column.notNull())
      .addColumn('before', text)
      .addColumn('after', text)
      .addColumn('secret', integer, (column) => column.notNull())
      .addColumn('changed_at', integer, (column) => column.notNull())
      .addColumn('changed_by', text, (column) => column.notNull())
      .addColumn('comment', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('setting_change_key', ['revision', 'owner', 'key']);
    await clustered(change).execute();
    await db.schema
      .createIndex('setting_change_of')
      .on('setting_change')
      .columns(['key', 'owner', 'revision'])
      .execute();
  },
};

export interface HistoryStatements {
  /** Begins a revision; the rows of the same unit belong to it. */
  begin(params: Record<never, never>): Statement;
  /** To be written before the setting itself. */
  record(params: Omit<ChangeRow, 'revision' | 'before'>): Statement;
  recordSecret(params: Omit<ChangeRow, 'revision' | 'before' | 'after' | 'secret'>): Statement;
  trim(params: Record<never, never>): Statement;
  revision(params: Record<never, never>): Statement;
  ofRevision(params: { revision: number }): Statement;
}

export function historyStatements(dialect: Dialect): HistoryStatements {
  return {
    begin: prepare<Record<never, never>, HistoryTables>(dialect, (db) =>
      db
        .updateTable('setting_revision')
        .set((eb) => ({ revision: eb('revision', '+', 1) }))
        .where('id', '=', 1),
    ),
    record: prepare<Omit<ChangeRow, 'revision' | 'before'>, HistoryTables>(dialect, (db, p) =>
      db.insertInto('setting_change').values((eb) => ({
        revision: eb.selectFrom('setting_revision').select('revision').where('id', '=', 1),
        owner: p('owner'),
        key: p('key'),
        before: eb
          .selectFrom('setting')
          .select('value')
          .where('setting.owner', '=', p('owner'))
          .where('setting.key', '=', p('key')),
        after: p('after'),
        secret: p('secret'),
        changed_at: p('changed_at'),
        changed_by: p('changed_by'),
        comment: p('comment'),
      })),
    ),
    recordSecret: prepare<Omit<ChangeRow, 'revision' | 'before' | 'after' | 'secret'>, HistoryTables>(
      dialect,
      (db, p) =>
        db.insertInto('setting_change').values((eb) => ({
          revision: eb.selectFrom('setting_revision').select('revision').where('id', '=', 1),
          owner: p('owner'),
          key: p('key'),
          before: null,
          after: null,
          secret: 1,
          changed_at: p('changed_at'),
          changed_by: p('changed_by'),
          comment: p('comment'),
        })),
    ),
    trim: prepare<Record<never, never>, HistoryTables>(dialect, (db) =>
      db
        .deleteFrom('setting_change')
        .where('revision', '<', (eb) =>
          eb
            .selectFrom((newest) =>
              newest
                .selectFrom('setting_change')
                .select('revision')
                .orderBy('revision', 'desc')
                .limit(HISTORY_VALUES)
                .as('newest'),
            )
            .select((one) => one.fn.coalesce(one.fn.min<number>('newest.revision'), one.val(0)).as('oldest')),
        ),
    ),
    revision: prepare<Record<never, never>, HistoryTables>(dialect, (db) =>
      db.selectFrom('setting_revision').select('revision').where('id', '=', 1),
    ),
    ofRevision: prepare<{ revision: number }, HistoryTables>(dialect, (db, p) =>
      db.selectFrom('setting_change').selectAll().where('revision', '=', p('revision')).orderBy('owner').orderBy('key'),
    ),
  };
}
