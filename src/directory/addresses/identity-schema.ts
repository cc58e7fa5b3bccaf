/** Names of people and correspondents: a name for each account, and the domains that mail goes out to. */
import { columns } from '../../store/columns.ts';
import type { StoreMigration } from '../../store/migration.ts';

export interface IdentityTables {
  /** `messages`: recipients of outgoing mail; `last_at`: milliseconds since the epoch. */
  correspondent: { domain: string; messages: number; last_at: number };
}

export const identityMigrations: readonly StoreMigration[] = [
  {
    name: '0012-identity',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await db.schema.alterTable('account').addColumn('name', text).execute();
      await clustered(
        db.schema
          .createTable('correspondent')
          .addColumn('domain', text, (column) => column.notNull().primaryKey())
          .addColumn('messages', integer, (column) => column.notNull())
          .addColumn('last_at', integer, (column) => column.notNull()),
      ).execute();
    },
  },
];
