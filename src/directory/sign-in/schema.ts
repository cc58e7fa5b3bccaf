/**
 * The tables of credentials: those of accounts, domains and devices. Passwords are stored as hashes only; secrets
 * that are needed in clear are sealed (store/secrets.ts).
 */
import type { Role } from '../../model/role.ts';
import { columns } from '../../store/columns.ts';
import type { StoreMigration } from '../../store/migration.ts';

export interface LoginRow {
  /** An address from `addressKey`, or `@domain` for a domain's own login. */
  readonly login: string;
  readonly domain: string;
  /** A PHC string; null for accounts, whose own table has it. */
  readonly password: string | null;
  /** JSON of a ScramVerifier, if the domain had SCRAM on when the password was set. */
  readonly scram: string | null;
  /** The password, sealed as `login/<login>`: only if CRAM-MD5 was enabled. */
  readonly secret: string | null;
  readonly changed_at: number;
}

export interface CredentialTables {
  readonly login: LoginRow;
  /** PHC strings of passwords that were used before. */
  readonly password_history: { readonly login: string; readonly password: string; readonly changed_at: number };
  /** `digest`: SHA-256 in hex; the password has 125 random bits, so no slow hash is needed. */
  readonly app_password: {
    readonly login: string;
    readonly name: string;
    readonly digest: string;
    readonly created_at: number;
  };
  /** `fingerprint`: SHA-256 of the certificate in hex. The client that has its key signs in as `login` (EXTERNAL). */
  readonly client_certificate: { readonly fingerprint: string; readonly login: string; readonly created_at: number };
  /** `sender`: an address, or `@domain`, that the account may write as. */
  readonly send_as: { readonly login: string; readonly sender: string };
  /** `domain`: empty for an administrator of everything. */
  readonly administrator: {
    readonly login: string;
    readonly domain: string;
    readonly role: Role;
    readonly created_at: number;
  };
  /** Keys of our own, sealed under their names. */
  readonly kept_secret: { readonly name: string; readonly sealed: string };
}

export const credentialMigrations: readonly StoreMigration[] = [
  {
    name: '0022-credentials',
    async up(db, dialect) {
      const { integer, text, clustered } = columns(dialect);
      const table = (
        name: string,
        key: readonly string[],
        rest: Readonly<Record<string, 'text' | 'text?' | 'integer'>>,
      ) => {
        let draft = db.schema.createTable(name).addPrimaryKeyConstraint(`${name}_key`, key as never);
        for (const column of key) draft = draft.addColumn(column, text, (of) => of.notNull());
        for (const [column, type] of Object.entries(rest))
          draft = draft.addColumn(column, type === 'integer' ? integer : text, (of) =>
            type === 'text?' ? of : of.notNull(),
          );
        return clustered(draft).execute();
      };
      await table('login', ['login'], {
        domain: 'text',
        password: 'text?',
        scram: 'text?',
        secret: 'text?',
        changed_at: 'integer',
      });
      await table('password_history', ['login', 'password'], { changed_at: 'integer' });
      await table('app_password', ['login', 'name'], { digest: 'text', created_at: 'integer' });
      await table('client_certificate', ['fingerprint'], { login: 'text', created_at: 'integer' });
      await table('send_as', ['login', 'sender'], {});
      await table('administrator', ['login', 'domain'], { created_at: 'integer' });
      await table('kept_secret', ['name'], { sealed: 'text' });
    },
  },
  {
    name: '0051-administrator-roles',
    async up(db, dialect) {
      const { text } = columns(dialect);
      // An administrator stays one, of everything or of a domain.
      await db.schema
        .alterTable('administrator')
        .addColumn('role', text, (column) => column.notNull().defaultTo('administrator'))
        .execute();
    },
  },
];
