/** The table of settings: only values that are set; a default is never stored. */
import { columns } from '../store/columns.ts';
import type { Statement } from '../store/contract.ts';
import type { StoreMigration } from '../store/migration.ts';
import { type Dialect, prepare } from '../store/statement.ts';
import { historyMigration } from './history-schema.ts';

export interface SettingTables {
  setting: {
    scope: 'global' | 'domain' | 'account';
    /** Empty, the domain's name, or the account's address. */
    owner: string;
    key: string;
    /** JSON. */
    value: string;
    changed_at: number;
    changed_by: string;
  };
}

export const settingsMigrations: readonly StoreMigration[] = [
  {
    name: '0002-settings',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      const table = db.schema
        .createTable('setting')
        .addColumn('scope', text, (column) => column.notNull())
        .addColumn('owner', text, (column) => column.notNull())
        .addColumn('key', text, (column) => column.notNull())
        .addColumn('value', text, (column) => column.notNull())
        .addColumn('changed_at', integer, (column) => column.notNull())
        .addColumn('changed_by', text, (column) => column.notNull())
        .addPrimaryKeyConstraint('setting_key', ['owner', 'key']);
      await clustered(table).execute();
    },
  },
  historyMigration,
];

export interface SettingStatements {
  all(params: Record<never, never>): Statement;
  ofOwner(params: { owner: string }): Statement;
  put(params: SettingTables['setting']): Statement;
  remove(params: { owner: string; key: string }): Statement;
  forget(params: { owner: string }): Statement;
}

export function settingStatements(dialect: Dialect): SettingStatements {
  const key = { key: 'owner' } as const;
  return {
    all: prepare<Record<never, never>, SettingTables>(dialect, (db) => db.selectFrom('setting').selectAll()),
    ofOwner: prepare<{ owner: string }, SettingTables>(dialect, (db, p) =>
      db.selectFrom('setting').selectAll().where('owner', '=', p('owner')),
    ),
    put: prepare<SettingTables['setting'], SettingTables>(
      dialect,
      (db, p) =>
        db
          .insertInto('setting')
          .values({
            scope: p('scope'),
            owner: p('owner'),
            key: p('key'),
            value: p('value'),
            changed_at: p('changed_at'),
            changed_by: p('changed_by'),
          })
          .onConflict((conflict) =>
            conflict.columns(['owner', 'key']).doUpdateSet((row) => ({
              value: row.ref('excluded.value'),
              changed_at: row.ref('excluded.changed_at'),
              changed_by: row.ref('excluded.changed_by'),
            })),
          ),
      key,
    ),
    remove: prepare<{ owner: string; key: string }, SettingTables>(
      dialect,
      (db, p) => db.deleteFrom('setting').where('owner', '=', p('owner')).where('key', '=', p('key')),
      key,
    ),
    forget: prepare<{ owner: string }, SettingTables>(
      dialect,
      (db, p) => db.deleteFrom('setting').where('owner', '=', p('owner')),
      key,
    ),
  };
}
