/**
 * The names that an untrusted sender might imitate: local domains, and accounts that have a name.
 *
 * One list, the same object until the directory changes, so that results derived from it are computed once. After a
 * change the previous list is returned until the new one is read; the first read is awaited.
 */
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { Database } from '../../store/contract.ts';
import { prepare } from '../../store/statement.ts';
import { IDENTITY_DOMAINS, IDENTITY_PEOPLE } from '../limits.ts';
import type { DirectoryTables } from '../schema.ts';

export interface Identities {
  readonly domains: readonly string[];
  readonly people: readonly { readonly name: string; readonly address: string }[];
}

export interface IdentityReader {
  /** Errors (the first time only): those of the database. */
  current(): MaybePromise<Identities>;
}

export function createIdentityReader(db: Database): IdentityReader {
  const domains = prepare<{ limit: number }, DirectoryTables>(db.dialect, (query, p) =>
    query.selectFrom('domain').select('name').orderBy('created_at').limit(p('limit')),
  )({ limit: IDENTITY_DOMAINS });
  const people = prepare<{ limit: number }, DirectoryTables>(db.dialect, (query, p) =>
    query
      .selectFrom('account')
      .select(['name', 'address'])
      .where('name', 'is not', null)
      .orderBy('address')
      .limit(p('limit')),
  )({ limit: IDENTITY_PEOPLE });

  let known: Identities | undefined;
  let version = 0;
  let readVersion = -1;
  let reading: Promise<Identities> | undefined;

  async function read(): Promise<Identities> {
    const startedAt = version;
    try {
      const [domainRows, peopleRows] = await Promise.all([db.scan(domains), db.scan(people)]);
      known = {
        domains: domainRows.map((row) => row['name'] as string),
        people: peopleRows.map((row) => ({ name: row['name'] as string, address: row['address'] as string })),
      };
      readVersion = startedAt;
      return known;
    } finally {
      reading = undefined;
    }
  }

  db.changes.subscribe(['domain', 'account'], () => {
    version++;
  });

  return {
    current() {
      if (known && readVersion === version) return known;
      reading ??= read();
      if (!known) return reading;
      // The previous list is still valid, and the next caller asks the database again.
      reading.catch(() => {});
      return known;
    },
  };
}
