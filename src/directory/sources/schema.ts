/** The tables of verification: sources, the domains they are asked for, and the accounts that they confirmed. */
import { columns } from '../../store/columns.ts';
import type { StoreMigration } from '../../store/migration.ts';

export interface SourceRow {
  readonly id: number;
  readonly kind: string;
  readonly description: string;
  /** JSON of the kind's options. */
  readonly options: string;
  /** Sealed as `source/<id>`. */
  readonly secret: string | null;
  readonly is_default: number;
}

export interface SourceTables {
  readonly verification_source: SourceRow;
  /** `position`: the order in which a domain's sources are asked. */
  readonly verification_source_domain: { readonly domain: string; readonly position: number; readonly source: number };
  /** `gone`: a source reported later that the user does not exist any more, and the account was disabled for it. */
  readonly verified_account: {
    readonly address: string;
    readonly source: number;
    readonly verified_at: number;
    readonly gone: number;
  };
}

export const sourceMigrations: readonly StoreMigration[] = [
  {
    name: '0025-verification',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await db.schema
        .createTable('verification_source')
        .addColumn('id', integer, (column) => column.notNull().primaryKey())
        .addColumn('kind', text, (column) => column.notNull())
        .addColumn('description', text, (column) => column.notNull())
        .addColumn('options', text, (column) => column.notNull())
        .addColumn('secret', text)
        .addColumn('is_default', integer, (column) => column.notNull())
        .execute();
      await clustered(
        db.schema
          .createTable('verification_source_domain')
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('position', integer, (column) => column.notNull())
          .addColumn('source', integer, (column) => column.notNull())
          .addPrimaryKeyConstraint('verification_source_domain_key', ['domain', 'position']),
      ).execute();
      await clustered(
        db.schema
          .createTable('verified_account')
          .addColumn('address', text, (column) => column.notNull().primaryKey())
          .addColumn('source', integer, (column) => column.notNull())
          .addColumn('verified_at', integer, (column) => column.notNull())
          .addColumn('gone', integer, (column) => column.notNull()),
      ).execute();
    },
  },
  {
    name: '0036-aliases-of-sources',
    async up(db, dialect) {
      await db.schema.alterTable('alias').addColumn('account', columns(dialect).text).execute();
      await db.schema.createIndex('alias_account').on('alias').columns(['account', 'address']).execute();
    },
  },
];
