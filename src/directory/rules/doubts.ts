/**
 * Entries, pairs and networks of domain servers that are probably a mistake: checked when they are entered, and
 * searched among entries that are older than the check or were forced.
 */
import { networkDoubt, networkMust } from '../../protocol/network/doubt.ts';
import { suffixDoubt, suffixMust } from '../../protocol/network/suffix-doubt.ts';
import type { Database } from '../../store/contract.ts';
import type { ListEntryRow, ListKind, ListName } from './schema.ts';
import { ruleStatements } from './statements.ts';

export interface DoubtfulRule {
  readonly where: 'the lists' | 'the pairs of IP shielding' | 'the domain mail servers';
  readonly value: string;
  /** Completes `it must be`. */
  readonly must: string;
}

const PAGE = 5_000;

/**
 * Completes `it must be`; undefined if there is no doubt. Nobody gains from a wide block, so only a slip is doubted.
 */
export function entryDoubt(list: ListName, kind: ListKind, value: string): string | undefined {
  if (kind === 'ip') {
    const doubt = networkDoubt(value, list === 'block' ? 'block' : 'trust');
    return doubt && networkMust(doubt);
  }
  const doubt = list === 'block' ? undefined : suffixDoubt(value);
  return doubt && suffixMust(doubt);
}

/** The first `most`, and how many there are. Errors: those of the database. */
export async function findDoubtfulRules(
  db: Database,
  most: number,
): Promise<{ readonly rules: readonly DoubtfulRule[]; readonly count: number }> {
  const statements = ruleStatements(db.dialect);
  const rules: DoubtfulRule[] = [];
  let count = 0;
  const note = (where: DoubtfulRule['where'], value: string, must: string | undefined): void => {
    if (must !== undefined && count++ < most) rules.push({ where, value, must });
  };
  for (const { domain, network } of await db.read(statements.shields({}))) {
    note('the pairs of IP shielding', `${domain} ${network}`, entryDoubt('allow', 'host', domain as string));
    note('the pairs of IP shielding', `${domain} ${network}`, entryDoubt('allow', 'ip', network as string));
  }
  for (const { network } of await db.read(statements.serverNetworks({})))
    note('the domain mail servers', network as string, entryDoubt('allow', 'ip', network as string));
  for (const { value } of await db.read(statements.serverCertificates({})))
    note('the domain mail servers', value as string, entryDoubt('allow', 'host', value as string));
  const page = statements.page(undefined, undefined);
  let after = { list: '', owner: '', kind: '', value: '' };
  for (;;) {
    const rows = (await db.read(page({ ...after, limit: PAGE }))) as unknown as readonly ListEntryRow[];
    for (const { list, kind, value } of rows) note('the lists', `${list} ${value}`, entryDoubt(list, kind, value));
    if (rows.length < PAGE) return { rules, count };
    after = rows.at(-1)!;
  }
}
