/** Which rows an operator means: by ids of rows or messages, or by a filter, page by page in the order of their keys. */
import { type SqlBool, sql } from 'kysely';
import type { HoldClass } from '../../model/finding.ts';
import type { Database, Statement } from '../../store/contract.ts';
import { addressIn } from '../../store/of-domains.ts';
import { builder, statement } from '../../store/statement.ts';
import type { ActiveState } from '../contract.ts';
import { LIST_ROWS } from '../limits.ts';
import { keyOf, parseRowId, rowId } from '../model/ids.ts';
import { rowsOf } from '../rows/statements.ts';
import type { MessageRow, QueueTables, RecipientRow } from '../rows/tables.ts';

export interface QueueFilter {
  readonly state?: ActiveState;
  readonly class?: HoldClass;
  /** An address, or a domain. */
  readonly to?: string;
  readonly from?: string;
  /** Only rows whose policy domain is one of these: the recipient's, and of outbound mail the sender's. */
  readonly domains?: readonly string[];
}

/** Rows by their ids, all rows of messages by theirs, or all that the filter finds. */
export type QueueSelection =
  | { readonly ids: readonly string[]; readonly domains?: readonly string[] }
  | { readonly filter: QueueFilter };

export type SelectedRow = RecipientRow & Pick<MessageRow, 'reverse_path'>;

export interface SelectedPage {
  readonly rows: readonly SelectedRow[];
  /** Where the next page begins; absent at the end. */
  readonly cursor?: string;
}

/** At most `limit` rows behind the cursor. Without a filter a read of the key; with one it may look at every row, off the event loop. */
export async function selectPage(
  database: Database,
  filter: QueueFilter,
  { limit = LIST_ROWS, cursor }: { readonly limit?: number; readonly cursor?: string },
): Promise<SelectedPage> {
  const wanted = Math.max(1, Math.min(limit, LIST_ROWS));
  const query = pageStatement(database.dialect, filter, wanted, cursor);
  const isPlain = Object.values(filter).every((value) => value === undefined);
  const rows = rowsOf<SelectedRow>(await (isPlain ? database.read(query) : database.scan(query)));
  const last = rows.length === wanted ? rows.at(-1) : undefined;
  return { rows, ...(last && { cursor: rowId(last.message, last.n) }) };
}

/** Every page of a selection, in turn; pages may change while they are worked on. */
export async function* selectAll(
  database: Database,
  selection: QueueSelection,
): AsyncGenerator<readonly SelectedRow[]> {
  if ('ids' in selection) {
    for (const id of selection.ids) yield await byId(database, id, selection.domains);
    return;
  }
  let cursor: string | undefined;
  do {
    const page: SelectedPage = await selectPage(database, selection.filter, { cursor });
    cursor = page.cursor;
    yield page.rows;
  } while (cursor !== undefined);
}

async function byId(
  database: Database,
  id: string,
  domains: readonly string[] | undefined,
): Promise<readonly SelectedRow[]> {
  const row = parseRowId(id);
  const key = row?.key ?? keyOf(id);
  if (key === undefined) return [];
  let query = base(database.dialect).where('recipient.message', '=', key);
  if (row) query = query.where('n', '=', row.n);
  if (domains !== undefined) query = query.where(policyDomainIn(domains));
  return rowsOf<SelectedRow>(await database.read(statement(query)));
}

/** What `isOfDomains` asks, in SQL. */
function policyDomainIn(domains: readonly string[]) {
  return sql<SqlBool>`case when recipient.direction = 'outbound' then ${addressIn('message.reverse_path', domains)} else ${addressIn('recipient.address', domains)} end`;
}

/** Whose settings apply to a row, of those that are queued. */
export function isOfDomains(
  { direction, address, reverse_path }: Pick<SelectedRow, 'direction' | 'address' | 'reverse_path'>,
  domains: readonly string[],
): boolean {
  const policy = direction === 'outbound' ? (reverse_path ?? '') : address;
  return domains.includes(policy.slice(policy.lastIndexOf('@') + 1).toLowerCase());
}

function base(dialect: Database['dialect']) {
  return builder<QueueTables>(dialect)
    .selectFrom('recipient')
    .innerJoin('message', 'message.key', 'recipient.message')
    .selectAll('recipient')
    .select('message.reverse_path')
    .orderBy('recipient.message')
    .orderBy('n');
}

function pageStatement(
  dialect: Database['dialect'],
  { state, class: holdClass, to, from, domains }: QueueFilter,
  limit: number,
  cursor: string | undefined,
): Statement {
  let query = base(dialect).limit(limit);
  const after = cursor === undefined ? undefined : parseRowId(cursor);
  if (after) {
    const { key, n } = after;
    query = query
      .where('recipient.message', '>=', key)
      .where((eb) => eb.or([eb('recipient.message', '>', key), eb('n', '>', n)]));
  }
  if (state) query = query.where('state', '=', state);
  if (holdClass) query = query.where('hold_class', '=', holdClass);
  if (to !== undefined) query = query.where((eb) => eb(eb.fn('lower', ['address']), 'like', pattern(to)));
  if (from === '') query = query.where('reverse_path', 'is', null);
  else if (from !== undefined) query = query.where((eb) => eb(eb.fn('lower', ['reverse_path']), 'like', pattern(from)));
  if (domains !== undefined) query = query.where(policyDomainIn(domains));
  return statement(query);
}

/** `%` and `_` are rare in addresses and widen the match only; a domain matches all its addresses. */
function pattern(addressOrDomain: string): string {
  const text = addressOrDomain.toLowerCase();
  return text.includes('@') ? text : `%@${text}`;
}
