/** Conditions on columns that hold domains, or addresses: in some domains, and in none where none are given. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** The column is an address of one of the domains, whose names are in lower case. */
export function addressIn(column: string, domains: readonly string[]): RawBuilder<SqlBool> {
  return anyOf(
    domains.map((domain) => sql<SqlBool>`lower(${sql.ref(column)}) like ${`%@${plain(domain)}`} escape '\\'`),
  );
}

/** The column is one of the domains, or an address of one. */
export function ownerIn(column: string, domains: readonly string[]): RawBuilder<SqlBool> {
  return anyOf([
    ...domains.map((domain) => sql<SqlBool>`${sql.ref(column)} = ${domain}`),
    ...(domains.length === 0 ? [] : [addressIn(column, domains)]),
  ]);
}

function anyOf(conditions: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> {
  return conditions.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`(${sql.join(conditions, sql` or `)})`;
}

/** `_` in a name must not stand for another character. */
function plain(domain: string): string {
  return domain.replaceAll(/[%_\\]/g, '\\$&');
}
