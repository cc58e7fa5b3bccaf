/** The statements of credentials, compiled once a database. */
import { sql } from 'kysely';
import type { Database } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import type { DirectoryTables } from '../schema.ts';
import type { CredentialTables, LoginRow } from './schema.ts';

type T = DirectoryTables & CredentialTables;
type Login = { readonly login: string };

export function credentialStatements(dialect: Database['dialect']) {
  const changed = { expect: 'changed' } as const;
  return {
    /** State, hash and verifier of an account, or none. */
    ofAccount: prepare<Login, T>(dialect, (db, p) =>
      db
        .selectFrom('account')
        .leftJoin('login', 'login.login', 'account.address')
        .innerJoin('domain', 'domain.name', 'account.domain')
        .select([
          'account.address as login',
          'account.domain',
          'account.state',
          'account.name',
          'account.password',
          'domain.enabled',
          'login.scram',
          'login.secret',
          'login.changed_at',
        ])
        .where('account.address', '=', p('login')),
    ),
    ofDomain: prepare<Login, T>(dialect, (db, p) =>
      db
        .selectFrom('login')
        .innerJoin('domain', 'domain.name', 'login.domain')
        .select((row) => [
          'login.login',
          'login.domain',
          row.val<'active'>('active').as('state'),
          row.val<string | null>(null).as('name'),
          'login.password',
          'domain.enabled',
          'login.scram',
          'login.secret',
          'login.changed_at',
        ])
        .where('login.login', '=', p('login')),
    ),
    /** A row if the domain is local and enabled. */
    domain: prepare<{ domain: string }, T>(dialect, (db, p) =>
      db.selectFrom('domain').select('name').where('name', '=', p('domain')).where('enabled', '=', 1),
    ),
    offers: prepare<object, T>(dialect, (db) =>
      db.selectNoFrom((row) => [
        row.selectFrom('login').select(row.val(1).as('one')).where('scram', 'is not', null).limit(1).as('scram'),
        row.selectFrom('login').select(row.val(1).as('one')).where('secret', 'is not', null).limit(1).as('secret'),
        row.selectFrom('client_certificate').select(row.val(1).as('one')).limit(1).as('external'),
      ]),
    ),
    setLogin: prepare<LoginRow, T>(dialect, (db, p) =>
      db
        .insertInto('login')
        .values({
          login: p('login'),
          domain: p('domain'),
          password: p('password'),
          scram: p('scram'),
          secret: p('secret'),
          changed_at: p('changed_at'),
        })
        .onConflict((conflict) =>
          conflict.column('login').doUpdateSet((row) => ({
            password: row.ref('excluded.password'),
            scram: row.ref('excluded.scram'),
            secret: row.ref('excluded.secret'),
            changed_at: row.ref('excluded.changed_at'),
          })),
        ),
    ),
    setAccountPassword: prepare<{ login: string; password: string }, T>(
      dialect,
      (db, p) =>
        db
          .updateTable('account')
          .set({ password: p('password') })
          .where('address', '=', p('login')),
      { ...changed, key: 'login' },
    ),
    setState: prepare<{ login: string; state: string }, T>(
      dialect,
      (db, p) =>
        db
          .updateTable('account')
          .set({ state: p('state') })
          .where('address', '=', p('login')),
      { ...changed, key: 'login' },
    ),
    removeLogin: prepare<Login, T>(dialect, (db, p) => db.deleteFrom('login').where('login', '=', p('login'))),

    history: prepare<{ login: string; limit: number }, T>(dialect, (db, p) =>
      db
        .selectFrom('password_history')
        .select('password')
        .where('login', '=', p('login'))
        .orderBy('changed_at', 'desc')
        .limit(p('limit')),
    ),
    remember: prepare<{ login: string; password: string; changed_at: number }, T>(dialect, (db, p) =>
      db
        .insertInto('password_history')
        .values({ login: p('login'), password: p('password'), changed_at: p('changed_at') })
        .onConflict((conflict) => conflict.columns(['login', 'password']).doNothing()),
    ),
    /** All but the newest 24. */
    trimHistory: prepare<Login, T>(dialect, (db, p) =>
      db
        .deleteFrom('password_history')
        .where('login', '=', p('login'))
        .where(
          'changed_at',
          'not in',
          db
            .selectFrom('password_history')
            .select('changed_at')
            .where('login', '=', p('login'))
            .orderBy('changed_at', 'desc')
            .limit(24),
        ),
    ),

    appPasswords: prepare<Login, T>(dialect, (db, p) =>
      db
        .selectFrom('app_password')
        .select(['name', 'digest', 'created_at'])
        .where('login', '=', p('login'))
        .orderBy('name'),
    ),
    addAppPassword: prepare<T['app_password'], T>(dialect, (db, p) =>
      db
        .insertInto('app_password')
        .values({ login: p('login'), name: p('name'), digest: p('digest'), created_at: p('created_at') }),
    ),
    removeAppPassword: prepare<{ login: string; name: string }, T>(
      dialect,
      (db, p) => db.deleteFrom('app_password').where('login', '=', p('login')).where('name', '=', p('name')),
      changed,
    ),

    certificate: prepare<{ fingerprint: string }, T>(dialect, (db, p) =>
      db.selectFrom('client_certificate').select('login').where('fingerprint', '=', p('fingerprint')),
    ),
    certificates: prepare<Login, T>(dialect, (db, p) =>
      db.selectFrom('client_certificate').selectAll().where('login', '=', p('login')).orderBy('created_at'),
    ),
    addCertificate: prepare<T['client_certificate'], T>(dialect, (db, p) =>
      db
        .insertInto('client_certificate')
        .values({ fingerprint: p('fingerprint'), login: p('login'), created_at: p('created_at') }),
    ),
    removeCertificate: prepare<{ fingerprint: string; login: string }, T>(
      dialect,
      (db, p) =>
        db.deleteFrom('client_certificate').where('fingerprint', '=', p('fingerprint')).where('login', '=', p('login')),
      changed,
    ),

    sendAs: prepare<Login, T>(dialect, (db, p) =>
      db.selectFrom('send_as').select('sender').where('login', '=', p('login')).orderBy('sender'),
    ),
    addSendAs: prepare<T['send_as'], T>(
      dialect,
      (db, p) =>
        db
          .insertInto('send_as')
          .values({ login: p('login'), sender: p('sender') })
          .onConflict((conflict) => conflict.columns(['login', 'sender']).doNothing()),
      { key: 'login' },
    ),
    removeSendAs: prepare<T['send_as'], T>(
      dialect,
      (db, p) => db.deleteFrom('send_as').where('login', '=', p('login')).where('sender', '=', p('sender')),
      { ...changed, key: 'login' },
    ),

    administrators: prepare<object, T>(dialect, (db) =>
      db.selectFrom('administrator').selectAll().orderBy('login').orderBy('domain'),
    ),
    addAdministrator: prepare<T['administrator'], T>(dialect, (db, p) =>
      db
        .insertInto('administrator')
        .values({ login: p('login'), domain: p('domain'), role: p('role'), created_at: p('created_at') })
        .onConflict((conflict) =>
          conflict.columns(['login', 'domain']).doUpdateSet((row) => ({ role: row.ref('excluded.role') })),
        ),
    ),
    removeAdministrator: prepare<{ login: string; domain: string }, T>(
      dialect,
      (db, p) => db.deleteFrom('administrator').where('login', '=', p('login')).where('domain', '=', p('domain')),
      changed,
    ),

    /** Everything that belongs to logins like the pattern, in which `!` escapes `%` and `_`. */
    removeLike: (
      ['login', 'password_history', 'app_password', 'client_certificate', 'send_as', 'administrator'] as const
    ).map((table) =>
      prepare<{ pattern: string }, T>(dialect, (db, p) =>
        db.deleteFrom(table).where(sql<boolean>`login like ${p('pattern')} escape '!'`),
      ),
    ),

    keptSecret: prepare<{ name: string }, T>(dialect, (db, p) =>
      db.selectFrom('kept_secret').select('sealed').where('name', '=', p('name')),
    ),
    /** Also replaces one that could not be opened. */
    keepSecret: prepare<T['kept_secret'], T>(dialect, (db, p) =>
      db
        .insertInto('kept_secret')
        .values({ name: p('name'), sealed: p('sealed') })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((row) => ({ sealed: row.ref('excluded.sealed') })),
        ),
    ),
  };
}

export type CredentialStatements = ReturnType<typeof credentialStatements>;
