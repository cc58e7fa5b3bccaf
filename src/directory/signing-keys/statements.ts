/** The statements of signing keys, compiled once a database. */
import { sql } from 'kysely';
import type { Database } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import type { DkimKeyRow, SigningTables as T } from './schema.ts';

type Name = Pick<DkimKeyRow, 'domain' | 'selector'>;
type NewKey = Omit<DkimKeyRow, 'checked_at' | 'check_result'>;

export function dkimStatements(dialect: Database['dialect']) {
  return {
    ofDomain: prepare<{ domain: string }, T>(dialect, (db, p) =>
      // RSA on top, which every receiver supports.
      db
        .selectFrom('dkim_key')
        .selectAll()
        .where('domain', '=', p('domain'))
        .orderBy('algorithm', 'desc')
        .orderBy('created_at')
        .orderBy('selector'),
    ),
    /** Unless another of its kind waits already, which was not known when this one was decided. */
    insert: prepare<NewKey, T>(
      dialect,
      (db, p) => {
        // The types of what is selected are not taken from the columns, as those of VALUES are (PostgreSQL).
        const text = (name: keyof NewKey) => sql<string>`cast(${p(name)} as text)`.as(name);
        const at = (name: keyof NewKey) => sql<number>`cast(${p(name)} as bigint)`.as(name);
        return db
          .insertInto('dkim_key')
          .columns(['domain', 'selector', 'algorithm', 'state', 'private_key', 'public_key', 'created_at', 'since'])
          .expression(
            db
              .selectNoFrom([
                text('domain'),
                text('selector'),
                text('algorithm'),
                text('state'),
                text('private_key'),
                text('public_key'),
                at('created_at'),
                at('since'),
              ])
              .where((eb) => {
                const other = eb
                  .selectFrom('dkim_key as other')
                  .select('other.selector')
                  .where('other.domain', '=', p('domain'))
                  .where('other.algorithm', '=', p('algorithm'))
                  .where('other.state', '=', 'pending');
                return eb.not(eb.exists(other));
              }),
          );
      },
      { expect: 'changed' },
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
    /** The secret is deleted with it. */
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
