/** The statements of signing keys, compiled once a database. */
import type { Database } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import type { DkimKeyRow, SigningTables as T } from './schema.ts';

type Name = Pick<DkimKeyRow, 'domain' | 'selector'>;

export function dkimStatements(dialect: Database['dialect']) {
  return {
    ofDomain: prepare<{ domain: string }, T>(dialect, (db, p) =>
      // RSA on top, which every receiver knows.
      db
        .selectFrom('dkim_key')
        .selectAll()
        .where('domain', '=', p('domain'))
        .orderBy('algorithm', 'desc')
        .orderBy('created_at')
        .orderBy('selector'),
    ),
    insert: prepare<DkimKeyRow, T>(dialect, (db, p) =>
      db.insertInto('dkim_key').values({
        domain: p('domain'),
        selector: p('selector'),
        algorithm: p('algorithm'),
        state: p('state'),
        private_key: p('private_key'),
        public_key: p('public_key'),
        created_at: p('created_at'),
        since: p('since'),
        checked_at: null,
        check_result: null,
      }),
    ),
    /** A name of a pair is free again once its key retired. */
    makeRoom: prepare<Name, T>(dialect, (db, p) =>
      db
        .deleteFrom('dkim_key')
        .where('domain', '=', p('domain'))
        .where('selector', '=', p('selector'))
        .where('state', '=', 'retired'),
    ),
    move: prepare<Name & { from: string; state: string; since: number }, T>(
      dialect,
      (db, p) =>
        db
          .updateTable('dkim_key')
          .set({ state: p('state'), since: p('since') })
          .where('domain', '=', p('domain'))
          .where('selector', '=', p('selector'))
          .where('state', '=', p('from')),
      { expect: 'changed' },
    ),
    /** The secret goes with it. */
    retire: prepare<Name & { since: number }, T>(
      dialect,
      (db, p) =>
        db
          .updateTable('dkim_key')
          .set({ state: 'retired', since: p('since'), private_key: null })
          .where('domain', '=', p('domain'))
          .where('selector', '=', p('selector'))
          .where('state', '!=', 'retired'),
      { expect: 'changed' },
    ),
    checked: prepare<Name & { at: number; result: string }, T>(dialect, (db, p) =>
      db
        .updateTable('dkim_key')
        .set({ checked_at: p('at'), check_result: p('result') })
        .where('domain', '=', p('domain'))
        .where('selector', '=', p('selector')),
    ),
    reseal: prepare<Name & { private_key: string; was: string }, T>(dialect, (db, p) =>
      db
        .updateTable('dkim_key')
        .set({ private_key: p('private_key') })
        .where('domain', '=', p('domain'))
        .where('selector', '=', p('selector'))
        .where('private_key', '=', p('was')),
    ),
    removeOf: prepare<{ domain: string }, T>(dialect, (db, p) =>
      db.deleteFrom('dkim_key').where('domain', '=', p('domain')),
    ),
  };
}
