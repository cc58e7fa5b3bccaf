/** The tables of the directory. Addresses are keys from `addressKey`; domains are lower-case ASCII. */
import { columns } from '../store/columns.ts';
import type { StoreMigration } from '../store/migration.ts';
import { identityMigrations } from './addresses/identity-schema.ts';
import { ruleMigrations } from './rules/schema.ts';
import { serverLoginMigrations } from './servers/login-schema.ts';
import { credentialMigrations } from './sign-in/schema.ts';
import { sourceMigrations } from './sources/schema.ts';

export interface DirectoryTables {
  domain: { name: string; enabled: number; created_at: number };
  account: {
    address: string;
    domain: string;
    state: 'active' | 'frozen' | 'disabled';
    /** A PHC string; null: cannot sign in. */
    password: string | null;
    /** The display name of its owner. */
    name: string | null;
    created_at: number;
  };
  /** `targets`: JSON list of addresses as they were entered. `account`: a source gave the alias to that account; null: made by hand. */
  alias: { address: string; domain: string; targets: string; created_at: number; account: string | null };
  mail_server: {
    id: number;
    description: string;
    host: string;
    port: number;
    position: number;
    is_default: number;
  };
  mail_server_domain: { server: number; domain: string };
}

export const directoryMigrations: readonly StoreMigration[] = [
  {
    name: '0003-directory',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('domain')
          .addColumn('name', text, (column) => column.notNull().primaryKey())
          .addColumn('enabled', integer, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull()),
      ).execute();
      await clustered(
        db.schema
          .createTable('account')
          .addColumn('address', text, (column) => column.notNull().primaryKey())
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('state', text, (column) => column.notNull())
          .addColumn('password', text)
          .addColumn('created_at', integer, (column) => column.notNull()),
      ).execute();
      await clustered(
        db.schema
          .createTable('alias')
          .addColumn('address', text, (column) => column.notNull().primaryKey())
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('targets', text, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull()),
      ).execute();
      await db.schema
        .createTable('mail_server')
        .addColumn('id', integer, (column) => column.notNull().primaryKey())
        .addColumn('description', text, (column) => column.notNull())
        .addColumn('host', text, (column) => column.notNull())
        .addColumn('port', integer, (column) => column.notNull())
        .addColumn('position', integer, (column) => column.notNull())
        .addColumn('is_default', integer, (column) => column.notNull())
        .addUniqueConstraint('mail_server_place', ['host', 'port'])
        .execute();
      await clustered(
        db.schema
          .createTable('mail_server_domain')
          .addColumn('server', integer, (column) => column.notNull())
          .addColumn('domain', text, (column) => column.notNull())
          .addPrimaryKeyConstraint('mail_server_domain_key', ['domain', 'server']),
      ).execute();
      await db.schema.createIndex('account_domain').on('account').columns(['domain', 'address']).execute();
      await db.schema.createIndex('alias_domain').on('alias').columns(['domain', 'address']).execute();
    },
  },
  ...identityMigrations,
  ...sourceMigrations,
  ...credentialMigrations,
  ...ruleMigrations,
  ...serverLoginMigrations,
];
