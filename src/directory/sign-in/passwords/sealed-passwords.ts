/** Logins whose password itself is stored, sealed, for CRAM-MD5: anyone with database and key can read it. */
import type { Database } from '../../../store/contract.ts';
import { prepare } from '../../../store/statement.ts';
import type { CredentialTables } from '../schema.ts';

export interface SealedPasswords {
  /** The first of them; `@domain` is a domain's own login. */
  readonly logins: readonly string[];
  readonly count: number;
}

/** Errors: those of the database. */
export async function findSealedPasswords(db: Database, most: number): Promise<SealedPasswords> {
  const first = prepare<{ most: number }, CredentialTables>(db.dialect, (query, p) =>
    query.selectFrom('login').select('login').where('secret', 'is not', null).orderBy('login').limit(p('most')),
  );
  const all = prepare<object, CredentialTables>(db.dialect, (query) =>
    query
      .selectFrom('login')
      .select((row) => row.fn.countAll<number>().as('n'))
      .where('secret', 'is not', null),
  );
  const [rows, [counted]] = [await db.read(first({ most })), await db.read(all({}))];
  return { logins: rows.map(({ login }) => login as string), count: Number(counted?.['n'] ?? 0) };
}
