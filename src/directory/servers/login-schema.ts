/**
 * The credentials with which this node signs in to other mail servers. A row belongs to a host and port rather than
 * to a domain mail server, so that the smart host has one too, and no other host ever receives its secret.
 */
import { columns } from '../../store/columns.ts';
import type { StoreMigration } from '../../store/migration.ts';

export interface ServerLoginRow {
  /** As the operator entered it, in lower case. */
  readonly host: string;
  readonly port: number;
  readonly user_name: string;
  /** `token`: an access token (XOAUTH2). */
  readonly kind: 'password' | 'token';
  /** Sealed as `server/<host>:<port>`. */
  readonly secret: string;
  /** JSON list of SHA-256 of public keys, base64. */
  readonly pins: string;
  /** PEM; empty: the public authorities. */
  readonly authority: string;
  /** TLS from the first byte, in place of STARTTLS. */
  readonly implicit_tls: number;
  readonly changed_at: number;
}

export interface ServerLoginTables {
  readonly server_login: ServerLoginRow;
}

export const serverLoginMigrations: readonly StoreMigration[] = [
  {
    name: '0029-server-logins',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('server_login')
          .addColumn('host', text, (column) => column.notNull())
          .addColumn('port', integer, (column) => column.notNull())
          .addColumn('user_name', text, (column) => column.notNull())
          .addColumn('kind', text, (column) => column.notNull())
          .addColumn('secret', text, (column) => column.notNull())
          .addColumn('pins', text, (column) => column.notNull())
          .addColumn('authority', text, (column) => column.notNull())
          .addColumn('implicit_tls', integer, (column) => column.notNull())
          .addColumn('changed_at', integer, (column) => column.notNull())
          .addPrimaryKeyConstraint('server_login_key', ['host', 'port']),
      ).execute();
    },
  },
];
