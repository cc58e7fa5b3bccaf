/** The tables of signing keys. Private keys are sealed (store/secrets.ts), and deleted when a key retires. */
import type { SigningAlgorithm } from '../../protocol/dkim/signature.ts';
import { columns } from '../../store/columns.ts';
import type { StoreMigration } from '../../store/migration.ts';

/** `pending`: waits for its DNS record; `retiring`: signs no more, and its record is still checked. */
export type DkimKeyState = 'pending' | 'active' | 'retiring' | 'retired';

export interface DkimKeyRow {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: SigningAlgorithm;
  readonly state: DkimKeyState;
  /** PKCS 8, sealed as `dkim/<domain>/<selector>`; null once retired. */
  readonly private_key: string | null;
  /** In the form of `p=`. */
  readonly public_key: string;
  readonly created_at: number;
  /** When its state began. */
  readonly since: number;
  readonly checked_at: number | null;
  /** A RecordState of check.ts. */
  readonly check_result: string | null;
}

export interface SrsKeyRow {
  readonly id: number;
  /** 32 bytes, sealed as `srs/<id>`. */
  readonly secret: string;
  readonly created_at: number;
}

export interface SigningTables {
  readonly dkim_key: DkimKeyRow;
  readonly srs_key: SrsKeyRow;
}

export const signingMigrations: readonly StoreMigration[] = [
  {
    name: '0011-signing-keys',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      await clustered(
        db.schema
          .createTable('dkim_key')
          .addColumn('domain', text, (column) => column.notNull())
          .addColumn('selector', text, (column) => column.notNull())
          .addColumn('algorithm', text, (column) => column.notNull())
          .addColumn('state', text, (column) => column.notNull())
          .addColumn('private_key', text)
          .addColumn('public_key', text, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull())
          .addColumn('since', integer, (column) => column.notNull())
          .addColumn('checked_at', integer)
          .addColumn('check_result', text)
          .addPrimaryKeyConstraint('dkim_key_name', ['domain', 'selector']),
      ).execute();
      await db.schema
        .createTable('srs_key')
        .addColumn('id', integer, (column) => column.notNull().primaryKey())
        .addColumn('secret', text, (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .execute();
    },
  },
];
