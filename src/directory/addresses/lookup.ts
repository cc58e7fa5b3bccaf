/**
 * Rows of the directory by name, from memory or synchronously from the database: one cache for domains and one for
 * addresses, emptied together whenever the directory changes. A read that was under way during a change is not
 * cached.
 */

import type { Address } from '../../model/address.ts';
import { isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import { parseAddress } from '../../protocol/smtp/address.ts';
import type { Change, Database, Row, Statement } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import { type Cache, createCache } from '../cache.ts';
import type { Account, Domain } from '../contract.ts';
import { CACHED_ENTRIES } from '../limits.ts';
import type { DirectoryTables } from '../schema.ts';

/** The meaning of an address itself, before sub-addresses and roles. */
export type Entry =
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'alias'; readonly targets: readonly Address[] }
  | { readonly kind: 'nothing' };

const NOTHING: Entry = { kind: 'nothing' };
const NO_DOMAIN = 'none';
const OLDEST = '';

export interface Lookup {
  domain(name: string): MaybePromise<Domain | undefined>;
  /** The oldest one that is enabled. */
  firstDomain(): MaybePromise<Domain | undefined>;
  /** `key`: from addressKey. */
  entry(key: string): MaybePromise<Entry>;
}

export function createLookup(db: Database): Lookup {
  const domains = createCache<Domain | typeof NO_DOMAIN>(CACHED_ENTRIES);
  const entries = createCache<Entry>(CACHED_ENTRIES);
  let version = 0;

  const domainByName = prepare<{ name: string }, DirectoryTables>(db.dialect, (query, p) =>
    query.selectFrom('domain').select(['name', 'enabled']).where('name', '=', p('name')),
  );
  const oldestDomain = prepare<object, DirectoryTables>(db.dialect, (query) =>
    query
      .selectFrom('domain')
      .select(['name', 'enabled'])
      .where('enabled', '=', 1)
      .orderBy('created_at')
      .orderBy('name')
      .limit(1),
  );
  const byAddress = prepare<{ key: string }, DirectoryTables>(db.dialect, (query, p) =>
    query
      .selectFrom('account')
      .select((row) => ['address', 'domain', 'state', row.val<string | null>(null).as('targets')])
      .where('address', '=', p('key'))
      .unionAll(
        query
          .selectFrom('alias')
          .select((row) => ['address', 'domain', row.val<'active'>('active').as('state'), 'targets'])
          .where('address', '=', p('key')),
      ),
  );

  /** Reads, and caches unless the directory changed meanwhile. */
  function through<V>(cache: Cache<V>, key: string, statement: Statement, make: (rows: readonly Row[]) => V) {
    const startedAt = version;
    const keep = (rows: readonly Row[]): V => {
      const value = make(rows);
      if (version === startedAt) cache.set(key, value);
      return value;
    };
    return db.readNow ? keep(db.readNow(statement)) : db.read(statement).then(keep);
  }

  const domainStatement = (name: string): Statement => (name === OLDEST ? oldestDomain({}) : domainByName({ name }));

  /** The empty name stands for the oldest domain: no domain has that name. */
  function domain(name: string): MaybePromise<Domain | undefined> {
    const known = domains.get(name) ?? through(domains, name, domainStatement(name), toDomain);
    if (isPromise(known)) return known.then((value) => (value === NO_DOMAIN ? undefined : value));
    return known === NO_DOMAIN ? undefined : known;
  }

  function forget(changes: readonly Change[]): void {
    version++;
    if (changes.some(({ key }) => key === undefined)) {
      domains.clear();
      entries.clear();
    } else for (const { key } of changes) entries.delete(key!);
  }
  db.changes.subscribe(['domain', 'account', 'alias'], forget);

  return {
    domain: (name) => (name === OLDEST ? undefined : domain(name)),
    firstDomain: () => domain(OLDEST),
    entry: (key) => entries.get(key) ?? through(entries, key, byAddress({ key }), toEntry),
  };
}

function toDomain([row]: readonly Row[]): Domain | typeof NO_DOMAIN {
  return row ? { name: row['name'] as string, enabled: Number(row['enabled']) !== 0 } : NO_DOMAIN;
}

/** If both exist, the account counts. */
function toEntry(rows: readonly Row[]): Entry {
  const row = rows.find(({ targets }) => targets === null) ?? rows[0];
  if (!row) return NOTHING;
  if (row['targets'] !== null) return { kind: 'alias', targets: parseTargets(row['targets'] as string) };
  const [address, domain] = [row['address'] as string, row['domain'] as string];
  return { kind: 'account', account: { address, domain, state: row['state'] as Account['state'] } };
}

/** They were valid when they were stored; additions of a newer version are left out. */
export function parseTargets(json: string): readonly Address[] {
  return (JSON.parse(json) as string[]).flatMap((text) => {
    const address = parseAddress(text);
    return address.ok ? [address.value] : [];
  });
}
