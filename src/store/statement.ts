/**
 * SQL compiled once: kysely builds the query with named stand-ins for its parameters, and each use
 * only puts the values in order. The same query text serves every dialect.
 *
 *     const byId = prepare<{ id: string }>('sqlite', (db, p) => db.selectFrom('domain').selectAll().where('id', '=', p('id')));
 *     await database.read(byId({ id }));
 */
import {
  type Compilable,
  DummyDriver,
  Kysely,
  type OperationNode,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RootOperationNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  TableNode,
} from 'kysely';
import type { Change, Database, SqlValue, Statement } from './contract.ts';

export type Dialect = Database['dialect'];

/** Stands in for a value while the query is built; typed as whatever the place wants. */
// biome-ignore lint/suspicious/noExplicitAny: the columns' types are checked by kysely where `Tables` is given; a stand-in fits all.
export type StandIn<P> = (name: keyof P & string) => any;

class Named {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const BUILDERS: Record<Dialect, Kysely<never>> = {
  sqlite: new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  }),
  postgres: new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }),
};

/** A builder without a connection, for queries whose shape depends on their input (filters of a list). */
export function builder<Tables>(dialect: Dialect): Kysely<Tables> {
  return BUILDERS[dialect] as unknown as Kysely<Tables>;
}

/** One query of a varying shape, compiled now. */
export function statement(query: Compilable): Statement {
  const { sql, parameters, query: root } = query.compile();
  const writes = changeBy(root);
  return { sql, parameters: parameters as SqlValue[], ...(writes && { writes }) };
}

/**
 * `expect: 'changed'`: see Statement. `key`: the parameter that names the one row which is written, by the
 * key that readers of the table know. Parameters that are left out are null.
 */
// biome-ignore lint/suspicious/noExplicitAny: where a room declares no table types, kysely takes any column.
export function prepare<P extends object, Tables = any>(
  dialect: Dialect,
  build: (db: Kysely<Tables>, p: StandIn<P>) => Compilable,
  options: { readonly expect?: 'changed'; readonly key?: keyof P & string } = {},
): (params: P) => Statement {
  const { sql, parameters, query } = build(builder<Tables>(dialect), (name) => new Named(name)).compile();
  const slots = parameters.map((value) => (value instanceof Named ? value.name : undefined));
  const fixed = parameters as readonly SqlValue[];
  const { expect, key } = options;
  const table = changeBy(query);
  return (params) => {
    const given = params as Record<string, SqlValue | undefined>;
    const values = new Array<SqlValue>(slots.length);
    for (let i = 0; i < values.length; i++) {
      const slot = slots[i];
      values[i] = slot === undefined ? fixed[i]! : (given[slot] ?? null);
    }
    if (!table) return { sql, parameters: values };
    const writes = key === undefined ? table : { ...table, key: String(given[key]) };
    return expect ? { sql, parameters: values, expect, writes } : { sql, parameters: values, writes };
  };
}

/** The table that a query writes; undefined: it only reads. */
function changeBy(query: RootOperationNode): Change | undefined {
  switch (query.kind) {
    case 'InsertQueryNode':
      return changeOfTable(query.into);
    case 'UpdateQueryNode':
      return changeOfTable(query.table);
    case 'DeleteQueryNode':
      return changeOfTable(query.from.froms[0]);
    case 'SelectQueryNode':
      return undefined;
    default:
      throw new Error(`cannot prepare a ${query.kind}, as it must be known what it writes`);
  }
}

function changeOfTable(node: OperationNode | undefined): Change {
  if (node === undefined || !TableNode.is(node)) throw new Error('cannot prepare this, as it must write one table');
  return { topic: node.table.identifier.name };
}
