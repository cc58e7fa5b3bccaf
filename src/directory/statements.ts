/** The statements that change and list the directory, compiled once a database. */
import type { Database, Statement } from '../store/contract.ts';
import { builder, prepare, statement } from '../store/statement.ts';
import type { RuleTables } from './rules/schema.ts';
import type { DirectoryTables } from './schema.ts';

type T = DirectoryTables;
type Page = { readonly after: string; readonly limit: number };

export function directoryStatements(dialect: Database['dialect']) {
  const list = (table: 'account' | 'alias') => ({
    one: prepare<{ address: string }, T>(dialect, (db, p) =>
      db.selectFrom(table).select('address').where('address', '=', p('address')),
    ),
    whole: prepare<{ address: string }, T>(dialect, (db, p) =>
      db.selectFrom(table).selectAll().where('address', '=', p('address')),
    ),
    all: prepare<Page, T>(dialect, (db, p) =>
      db.selectFrom(table).selectAll().where('address', '>', p('after')).orderBy('address').limit(p('limit')),
    ),
    ofDomains: (domains: readonly string[], { after, limit }: Page): Statement =>
      statement(
        builder<T>(dialect)
          .selectFrom(table)
          .selectAll()
          .where('domain', 'in', domains.length > 0 ? domains : [''])
          .where('address', '>', after)
          .orderBy('address')
          .limit(limit),
      ),
    ofDomain: prepare<Page & { domain: string }, T>(dialect, (db, p) =>
      db
        .selectFrom(table)
        .selectAll()
        .where('domain', '=', p('domain'))
        .where('address', '>', p('after'))
        .orderBy('address')
        .limit(p('limit')),
    ),
  });
  const ofAddress = (table: 'account' | 'alias'): ((params: { address: string }) => Statement) =>
    prepare<{ address: string }, T>(dialect, (db, p) => db.deleteFrom(table).where('address', '=', p('address')), {
      expect: 'changed',
      key: 'address',
    });
  const ofDomain = (table: 'account' | 'alias' | 'mail_server_domain') =>
    prepare<{ domain: string }, T>(dialect, (db, p) => db.deleteFrom(table).where('domain', '=', p('domain')));

  return {
    accounts: list('account'),
    aliases: list('alias'),
    domains: prepare<Page, T>(dialect, (db, p) =>
      db.selectFrom('domain').selectAll().where('name', '>', p('after')).orderBy('name').limit(p('limit')),
    ),
    domainsOf: (domains: readonly string[], { after, limit }: Page): Statement =>
      statement(
        builder<T>(dialect)
          .selectFrom('domain')
          .selectAll()
          .where('name', 'in', domains.length > 0 ? domains : [''])
          .where('name', '>', after)
          .orderBy('name')
          .limit(limit),
      ),
    countOf: prepare<{ domain: string }, T>(dialect, (db, p) =>
      db.selectNoFrom((row) => [
        row
          .selectFrom('account')
          .select(row.fn.countAll<number>().as('n'))
          .where('domain', '=', p('domain'))
          .as('accounts'),
        row
          .selectFrom('alias')
          .select(row.fn.countAll<number>().as('n'))
          .where('domain', '=', p('domain'))
          .as('aliases'),
      ]),
    ),

    addDomain: prepare<{ name: string; at: number }, T>(dialect, (db, p) =>
      db.insertInto('domain').values({ name: p('name'), enabled: 1, created_at: p('at') }),
    ),
    removeDomain: prepare<{ name: string }, T>(
      dialect,
      (db, p) => db.deleteFrom('domain').where('name', '=', p('name')),
      { expect: 'changed' },
    ),
    removeAccountsOf: ofDomain('account'),
    removeAliasesOf: ofDomain('alias'),
    unlinkDomain: ofDomain('mail_server_domain'),

    addAccount: prepare<
      { address: string; domain: string; password: string | null; name?: string | null; at: number },
      T
    >(
      dialect,
      (db, p) =>
        db.insertInto('account').values({
          address: p('address'),
          domain: p('domain'),
          state: 'active',
          password: p('password'),
          name: p('name'),
          created_at: p('at'),
        }),
      { key: 'address' },
    ),
    setName: prepare<{ address: string; name: string | null }, T>(
      dialect,
      (db, p) =>
        db
          .updateTable('account')
          .set({ name: p('name') })
          .where('address', '=', p('address')),
      { expect: 'changed', key: 'address' },
    ),
    removeAccount: ofAddress('account'),
    addAlias: prepare<{ address: string; domain: string; targets: string; at: number }, T>(
      dialect,
      (db, p) =>
        db
          .insertInto('alias')
          .values({ address: p('address'), domain: p('domain'), targets: p('targets'), created_at: p('at') }),
      { key: 'address' },
    ),
    removeAlias: ofAddress('alias'),

    addServer: prepare<T['mail_server'], T>(dialect, (db, p) =>
      db.insertInto('mail_server').values({
        id: p('id'),
        description: p('description'),
        host: p('host'),
        port: p('port'),
        position: p('position'),
        is_default: p('is_default'),
      }),
    ),
    removeServer: prepare<{ id: number }, T>(
      dialect,
      (db, p) => db.deleteFrom('mail_server').where('id', '=', p('id')),
      {
        expect: 'changed',
      },
    ),
    link: prepare<{ server: number; domain: string }, T>(dialect, (db, p) =>
      db
        .insertInto('mail_server_domain')
        .values({ server: p('server'), domain: p('domain') })
        .onConflict((conflict) => conflict.columns(['domain', 'server']).doNothing()),
    ),
    addNetwork: prepare<RuleTables['mail_server_network'], RuleTables>(dialect, (db, p) =>
      db
        .insertInto('mail_server_network')
        .values({ server: p('server'), network: p('network') })
        .onConflict((conflict) => conflict.columns(['server', 'network']).doNothing()),
    ),
    addCondition: prepare<RuleTables['mail_server_condition'], RuleTables>(dialect, (db, p) =>
      db
        .insertInto('mail_server_condition')
        .values({ server: p('server'), kind: p('kind'), value: p('value') })
        .onConflict((conflict) => conflict.columns(['server', 'kind', 'value']).doNothing()),
    ),
    removeConditions: prepare<{ server: number }, RuleTables>(dialect, (db, p) =>
      db.deleteFrom('mail_server_condition').where('server', '=', p('server')),
    ),
    removeNetworks: prepare<{ server: number }, RuleTables>(dialect, (db, p) =>
      db.deleteFrom('mail_server_network').where('server', '=', p('server')),
    ),
    unlinkServer: prepare<{ server: number }, T>(dialect, (db, p) =>
      db.deleteFrom('mail_server_domain').where('server', '=', p('server')),
    ),
  };
}
