/**
 * Statements by which a unit fails with `store.expectation` unless a row is as it was read, or is still not
 * there: what was checked in memory is checked again in the transaction that relies on it, so that of two
 * nodes that read the same row one is refused. They belong in front of what the unit changes.
 */
import { sql } from 'kysely';
import type { Database, Row, Statement } from './contract.ts';
import { builder, type Dialect, statement } from './statement.ts';

/** Rows of another table that belong to the row: as many as were read. */
export interface Belonging {
  readonly table: string;
  readonly where: Row;
}

/** Reads the row of this key, and makes of it what insists on it; nothing where it is not there. */
export async function unchangedRow(
  db: Pick<Database, 'dialect' | 'read'>,
  table: string,
  key: Row,
  belonging: readonly Belonging[] = [],
): Promise<readonly Statement[]> {
  const [row] = await db.read(statement(matching(untyped(db.dialect).selectFrom(table).selectAll(), key)));
  if (!row) return [];
  const counts: number[] = [];
  for (const rows of belonging) {
    const [counted] = await db.read(statement(countOf(db.dialect, rows)));
    counts.push(Number(counted?.['rows']));
  }
  return [asItWas(db.dialect, table, key, row, { belonging, counts })];
}

/** `row`: every column that counts. An update that changes nothing: it holds the row until the unit is over. */
export function asItWas(
  dialect: Dialect,
  table: string,
  key: Row,
  row: Row,
  { belonging, counts }: { belonging: readonly Belonging[]; counts: readonly number[] } = { belonging: [], counts: [] },
): Statement {
  const [column] = Object.keys(key);
  let query = matching(
    untyped(dialect)
      .updateTable(table)
      .set({ [column!]: sql.ref(column!) }),
    { ...row, ...key },
  );
  belonging.forEach((rows, at) => {
    query = query.where(countOf(dialect, rows), '=', counts[at]!);
  });
  return insisting(statement(query), key);
}

/** `row`: one that could stand there. It is put there and taken away again, which fails where there is one. */
export function stillAbsent(dialect: Dialect, table: string, key: Row, row: Row): readonly Statement[] {
  const put = untyped(dialect)
    .insertInto(table)
    .values({ ...row, ...key })
    .onConflict((conflict) => conflict.columns(Object.keys(key)).doNothing());
  return [insisting(statement(put), key), statement(matching(untyped(dialect).deleteFrom(table), key))];
}

// biome-ignore lint/suspicious/noExplicitAny: tables of every room.
const untyped = (dialect: Dialect) => builder<any>(dialect);

interface Where {
  where(column: string, operator: '=' | 'is', value: unknown): this;
}

function matching<Q>(query: Q, row: Row): Q {
  let narrowed = query as Q & Where;
  for (const [column, value] of Object.entries(row))
    narrowed = value === null ? narrowed.where(column, 'is', null) : narrowed.where(column, '=', value);
  return narrowed;
}

function countOf(dialect: Dialect, { table, where }: Belonging) {
  return matching(untyped(dialect).selectFrom(table), where).select(({ fn }) => fn.countAll<number>().as('rows'));
}

/** Readers who know the table by one column need forget no other row. */
function insisting(made: Statement, key: Row): Statement {
  const [only, another] = Object.values(key);
  const { writes } = made;
  if (another !== undefined || writes === undefined) return { ...made, expect: 'changed' };
  return { ...made, expect: 'changed', writes: { ...writes, key: String(only) } };
}
