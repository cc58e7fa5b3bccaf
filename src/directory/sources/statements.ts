/** The statements of verification, compiled once a database. */

import type { Dialect } from '../../store/statement.ts';
import { prepare } from '../../store/statement.ts';
import type { DirectoryTables } from '../schema.ts';
import type { SourceRow, SourceTables } from './schema.ts';

type T = DirectoryTables & SourceTables;

export type SourceStatements = ReturnType<typeof sourceStatements>;

export function sourceStatements(dialect: Dialect) {
  return {
    all: prepare<object, T>(dialect, (db) => db.selectFrom('verification_source').selectAll().orderBy('id')),
    links: prepare<object, T>(dialect, (db) =>
      db.selectFrom('verification_source_domain').selectAll().orderBy('domain').orderBy('position'),
    ),
    add: prepare<SourceRow, T>(dialect, (db, p) =>
      db.insertInto('verification_source').values({
        id: p('id'),
        kind: p('kind'),
        description: p('description'),
        options: p('options'),
        secret: p('secret'),
        is_default: p('is_default'),
      }),
    ),
    change: prepare<SourceRow, T>(
      dialect,
      (db, p) =>
        db
          .updateTable('verification_source')
          .set({
            description: p('description'),
            options: p('options'),
            secret: p('secret'),
            is_default: p('is_default'),
          })
          .where('id', '=', p('id')),
      { expect: 'changed' },
    ),
    remove: prepare<{ id: number }, T>(
      dialect,
      (db, p) => db.deleteFrom('verification_source').where('id', '=', p('id')),
      { expect: 'changed' },
    ),
    unlinkSource: prepare<{ id: number }, T>(dialect, (db, p) =>
      db.deleteFrom('verification_source_domain').where('source', '=', p('id')),
    ),
    unlinkDomain: prepare<{ domain: string }, T>(dialect, (db, p) =>
      db.deleteFrom('verification_source_domain').where('domain', '=', p('domain')),
    ),
    link: prepare<{ domain: string; position: number; source: number }, T>(dialect, (db, p) =>
      db
        .insertInto('verification_source_domain')
        .values({ domain: p('domain'), position: p('position'), source: p('source') }),
    ),

    /** An account, and what a source confirmed about it; `source` null: it was made by hand. */
    account: prepare<{ address: string }, T>(dialect, (db, p) =>
      db
        .selectFrom('account')
        .leftJoin('verified_account', 'verified_account.address', 'account.address')
        .select(['account.state', 'verified_account.source', 'verified_account.verified_at', 'verified_account.gone'])
        .where('account.address', '=', p('address')),
    ),
    addAccount: prepare<{ address: string; domain: string; name: string | null; at: number }, T>(
      dialect,
      (db, p) =>
        db
          .insertInto('account')
          .values({
            address: p('address'),
            domain: p('domain'),
            state: 'active',
            password: null,
            name: p('name'),
            created_at: p('at'),
          })
          .onConflict((conflict) => conflict.column('address').doNothing()),
      { key: 'address' },
    ),
    addAlias: prepare<{ address: string; domain: string; targets: string; account: string; at: number }, T>(
      dialect,
      (db, p) =>
        db
          .insertInto('alias')
          .values({
            address: p('address'),
            domain: p('domain'),
            targets: p('targets'),
            account: p('account'),
            created_at: p('at'),
          })
          .onConflict((conflict) => conflict.column('address').doNothing()),
      { key: 'address' },
    ),
    alias: prepare<{ address: string }, T>(dialect, (db, p) =>
      db.selectFrom('alias').select('targets').where('address', '=', p('address')),
    ),
    /** Aliases that sources gave to an account. */
    aliasesOf: prepare<{ account: string }, T>(dialect, (db, p) =>
      db.selectFrom('alias').select('address').where('account', '=', p('account')),
    ),
    removeAlias: prepare<{ address: string; account: string }, T>(
      dialect,
      (db, p) => db.deleteFrom('alias').where('address', '=', p('address')).where('account', '=', p('account')),
      { key: 'address' },
    ),
    setState: prepare<{ address: string; state: 'active' | 'disabled' }, T>(
      dialect,
      (db, p) =>
        db
          .updateTable('account')
          .set({ state: p('state') })
          .where('address', '=', p('address')),
      { key: 'address' },
    ),
    verified: prepare<T['verified_account'], T>(
      dialect,
      (db, p) =>
        db
          .insertInto('verified_account')
          .values({ address: p('address'), source: p('source'), verified_at: p('verified_at'), gone: p('gone') })
          .onConflict((conflict) =>
            conflict
              .column('address')
              .doUpdateSet({ source: p('source'), verified_at: p('verified_at'), gone: p('gone') }),
          ),
      { key: 'address' },
    ),
    forgetAccount: prepare<{ address: string }, T>(
      dialect,
      (db, p) => db.deleteFrom('verified_account').where('address', '=', p('address')),
      { key: 'address' },
    ),
    forgetDomain: prepare<{ pattern: string }, T>(dialect, (db, p) =>
      db.deleteFrom('verified_account').where('address', 'like', p('pattern')),
    ),
  };
}
