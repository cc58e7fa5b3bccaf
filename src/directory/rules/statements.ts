/** The statements that change and list the rules about senders. */
import type { Database, Statement } from '../../store/contract.ts';
import { ownerIn } from '../../store/of-domains.ts';
import { prepare } from '../../store/statement.ts';
import type { DirectoryTables } from '../schema.ts';
import type { ListEntryRow, ListName, RuleTables, ShieldRow } from './schema.ts';

type T = RuleTables & Pick<DirectoryTables, 'domain'>;
type Key = { readonly list: string; readonly owner: string; readonly kind: string; readonly value: string };
type Page = Key & { readonly limit: number };

export function ruleStatements(dialect: Database['dialect']) {
  return {
    entry: prepare<Key, T>(dialect, (db, p) =>
      db
        .selectFrom('list_entry')
        .select('value')
        .where('list', '=', p('list'))
        .where('owner', '=', p('owner'))
        .where('kind', '=', p('kind'))
        .where('value', '=', p('value')),
    ),
    countEntries: prepare<object, T>(dialect, (db) =>
      db.selectFrom('list_entry').select((row) => row.fn.countAll<number>().as('n')),
    ),
    /** All patterns of a list that have a wildcard. */
    patternsOf: prepare<Pick<Key, 'list' | 'owner'>, T>(dialect, (db, p) =>
      db
        .selectFrom('list_entry')
        .select(['kind', 'value'])
        .where('list', '=', p('list'))
        .where('owner', '=', p('owner'))
        .where((row) => row.or([row('value', 'like', '%*%'), row('value', 'like', '%?%')])),
    ),
    putEntry: prepare<ListEntryRow, T>(dialect, (db, p) =>
      db
        .insertInto('list_entry')
        .values({
          list: p('list'),
          owner: p('owner'),
          kind: p('kind'),
          value: p('value'),
          comment: p('comment'),
          expires_at: p('expires_at'),
          covers_local: p('covers_local'),
          created_at: p('created_at'),
        })
        .onConflict((conflict) =>
          conflict.columns(['list', 'owner', 'kind', 'value']).doUpdateSet({
            comment: p('comment'),
            expires_at: p('expires_at'),
            covers_local: p('covers_local'),
          }),
        ),
    ),
    removeEntry: prepare<Key, T>(
      dialect,
      (db, p) =>
        db
          .deleteFrom('list_entry')
          .where('list', '=', p('list'))
          .where('owner', '=', p('owner'))
          .where('kind', '=', p('kind'))
          .where('value', '=', p('value')),
      { expect: 'changed' },
    ),
    /** After a key, in order: of one list or owner, or of all. */
    page: (
      list: ListName | undefined,
      owner: string | undefined,
      domains?: readonly string[],
    ): ((page: Page) => Statement) =>
      prepare<Page, T>(dialect, (db, p) => {
        let query = db
          .selectFrom('list_entry')
          .selectAll()
          .where((row) =>
            row(
              row.refTuple('list', 'owner', 'kind', 'value'),
              '>',
              row.tuple(p('list'), p('owner'), p('kind'), p('value')),
            ),
          )
          .orderBy('list')
          .orderBy('owner')
          .orderBy('kind')
          .orderBy('value');
        if (list !== undefined) query = query.where('list', '=', list);
        if (owner !== undefined) query = query.where('owner', '=', owner);
        if (domains !== undefined) query = query.where(ownerIn('owner', domains));
        return query.limit(p('limit'));
      }),
    localDomains: prepare<object, T>(dialect, (db) => db.selectFrom('domain').select('name')),

    /** Networks of domain mail servers, and names in their certificates. */
    serverNetworks: prepare<object, T>(dialect, (db) =>
      db.selectFrom('mail_server_network').select('network').orderBy('server').orderBy('network'),
    ),
    serverCertificates: prepare<object, T>(dialect, (db) =>
      db.selectFrom('mail_server_condition').select('value').where('kind', '=', 'client-certificate').orderBy('server'),
    ),

    shields: prepare<object, T>(dialect, (db) => db.selectFrom('ip_shield').selectAll().orderBy('id')),
    addShield: prepare<ShieldRow, T>(dialect, (db, p) =>
      db.insertInto('ip_shield').values({
        id: p('id'),
        domain: p('domain'),
        network: p('network'),
        comment: p('comment'),
        created_at: p('created_at'),
      }),
    ),
    removeShield: prepare<{ id: number }, T>(dialect, (db, p) => db.deleteFrom('ip_shield').where('id', '=', p('id')), {
      expect: 'changed',
    }),
  };
}
