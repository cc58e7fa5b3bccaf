/** The tables of the operator's rules about senders: allow and block lists, pairs of IP shielding. */
import { columns } from '../../store/columns.ts';
import type { StoreMigration } from '../../store/migration.ts';

export type ListName = 'allow' | 'block';
export type ListKind = 'address' | 'host' | 'ip';

export interface ListEntryRow {
  readonly list: ListName;
  readonly kind: ListKind;
  /** The owner of the list: empty for the whole node, a domain, or an account's address. */
  readonly owner: string;
  /** In the spelling of pattern.ts and protocol/network. */
  readonly value: string;
  readonly comment: string;
  /** Milliseconds since the epoch; null: never. */
  readonly expires_at: number | null;
  /** 1: covers a local address, and the operator confirmed it. */
  readonly covers_local: number;
  readonly created_at: number;
}

export interface ShieldRow {
  readonly id: number;
  /** A domain, a pattern, or `$LOCALDOMAIN$`. */
  readonly domain: string;
  readonly network: string;
  readonly comment: string;
  readonly created_at: number;
}

export interface RuleTables {
  readonly list_entry: ListEntryRow;
  readonly ip_shield: ShieldRow;
  /** Networks that a domain mail server sends from, besides its own addresses. */
  readonly mail_server_network: { readonly server: number; readonly network: string };
  /** Conditions for such a server's address to count; one of several is enough. */
  readonly mail_server_condition: { readonly server: number; readonly kind: string; readonly value: string };
}

export const ruleMigrations: readonly StoreMigration[] = [
  {
    name: '0027-sender-rules',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('list_entry')
          .addColumn('list', text, (column) => column.notNull())
          .addColumn('kind', text, (column) => column.notNull())
          .addColumn('owner', text, (column) => column.notNull())
          .addColumn('value', text, (column) => column.notNull())
          .addColumn('comment', text, (column) => column.notNull())
          .addColumn('expires_at', integer)
          .addColumn('covers_local', integer, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull())
          .addPrimaryKeyConstraint('list_entry_key', ['list', 'owner', 'kind', 'value']),
      ).execute();
      await db.schema
        .createTable('ip_shield')
        .addColumn('id', integer, (column) => column.notNull().primaryKey())
        .addColumn('domain', text, (column) => column.notNull())
        .addColumn('network', text, (column) => column.notNull())
        .addColumn('comment', text, (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addUniqueConstraint('ip_shield_pair', ['domain', 'network'])
        .execute();
    },
  },
  {
    name: '0028-mail-server-networks',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('mail_server_network')
          .addColumn('server', integer, (column) => column.notNull())
          .addColumn('network', text, (column) => column.notNull())
          .addPrimaryKeyConstraint('mail_server_network_key', ['server', 'network']),
      ).execute();
    },
  },
  {
    name: '0030-mail-server-conditions',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('mail_server_condition')
          .addColumn('server', integer, (column) => column.notNull())
          .addColumn('kind', text, (column) => column.notNull())
          .addColumn('value', text, (column) => column.notNull())
          .addPrimaryKeyConstraint('mail_server_condition_key', ['server', 'kind', 'value']),
      ).execute();
    },
  },
];
