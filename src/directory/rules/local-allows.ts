/**
 * Allow entries that cover a local address: anyone who forges one passes. Found by comparing them with the current
 * domains, since a domain may have become local after its entry was made.
 */
import type { Database } from '../../store/contract.ts';
import { hasWildcards, matchesWildcards } from './pattern.ts';
import type { ListEntryRow } from './schema.ts';
import { ruleStatements } from './statements.ts';

export interface LocalAllows {
  /** The first of them. */
  readonly entries: readonly ListEntryRow[];
  readonly count: number;
  /** Of all allow entries for addresses. */
  readonly addresses: number;
}

const PAGE = 5_000;

/** Errors: those of the database. */
export async function findLocalAllows(db: Database, most: number): Promise<LocalAllows> {
  const statements = ruleStatements(db.dialect);
  const local = await localDomains(db);
  const page = statements.page('allow', undefined);
  const entries: ListEntryRow[] = [];
  let [count, addresses] = [0, 0];
  let after = { list: '', owner: '', kind: '', value: '' };
  for (;;) {
    const rows = (await db.read(page({ ...after, limit: PAGE }))) as unknown as readonly ListEntryRow[];
    for (const row of rows) {
      if (row.kind !== 'address') continue;
      addresses++;
      if (coversLocal(row.value, local) && count++ < most) entries.push(row);
    }
    if (rows.length < PAGE) return { entries, count, addresses };
    after = rows.at(-1)!;
  }
}

export async function localDomains(db: Database): Promise<ReadonlySet<string>> {
  const rows = await db.read(ruleStatements(db.dialect).localDomains({}));
  return new Set(rows.map(({ name }) => name as string));
}

/** `value`: in the spelling of pattern.ts. */
export function coversLocal(value: string, local: ReadonlySet<string>): boolean {
  const domain = value.slice(value.lastIndexOf('@') + 1);
  if (!hasWildcards(domain)) return local.has(domain);
  // `*@exam*` may match a@exam.example: only the domain's part decides, and `*` in it may contain an @.
  for (const name of local) if (matchesWildcards(domain, name)) return true;
  return false;
}
