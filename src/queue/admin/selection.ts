/**
 * Which rows an operator means: by ids of rows or messages, or by a filter, page by page. Held mail comes
 * newest first and by its indexes (held-pages.ts), everything else in the order of its keys.
 */
import { type SelectQueryBuilder, sql } from 'kysely';
import type { HoldClass } from '../../model/finding.ts';
import type { Database, Statement } from '../../store/contract.ts';
import { builder, statement } from '../../store/statement.ts';
import type { ActiveState } from '../contract.ts';
import { LIST_ROWS } from '../limits.ts';
import { keyOf, parseRowId, rowId } from '../model/ids.ts';
import { rowsOf } from '../rows/statements.ts';
import type { MessageRow, QueueTables, RecipientRow } from '../rows/tables.ts';
import { selectHeld } from './held-pages.ts';

export interface QueueFilter {
  readonly state?: ActiveState;
  readonly class?: HoldClass;
  /** An address, or a domain. */
  readonly to?: string;
  /** An address, or a domain; empty: the null reverse-path. */
  readonly from?: string;
  /** Held mail: the check that held it, and the code of its finding. */
  readonly check?: string;
  readonly code?: string;
  /** A part of the subject, in any case. */
  readonly subject?: string;
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

export type SelectedQuery = SelectQueryBuilder<
  QueueTables,
  'recipient' | 'message',
  RecipientRow & Pick<MessageRow, 'reverse_path'>
>;

/**
 * At most `limit` rows behind the cursor; a page may be shorter and not the last. Without a filter a read of
 * the key; with one that does not say that they are held it may look at every row, off the event loop.
 */
export async function selectPage(
  database: Database,
  filter: QueueFilter,
  { limit, cursor }: { readonly limit?: number; readonly cursor?: string },
): Promise<SelectedPage> {
  const wanted = pageSize(limit);
  if (isOfHeld(filter)) return selectHeld(database, filter, { limit: wanted, cursor });
  const query = pageStatement(database.dialect, filter, wanted + 1, cursor);
  const isPlain = Object.values(filter).every((value) => value === undefined);
  const found = rowsOf<SelectedRow>(await (isPlain ? database.read(query) : database.scan(query)));
  return pageOfRows(found, wanted) ?? { rows: found };
}

/** Of rows that were read with a limit of one more; undefined: there are no more than these. */
export function pageOfRows(found: readonly SelectedRow[], limit: number): SelectedPage | undefined {
  if (found.length <= limit) return undefined;
  const { message, n } = found[limit - 1]!;
  return { rows: found.slice(0, limit), cursor: rowId(message, n) };
}

export function pageSize(limit = LIST_ROWS): number {
  return Math.max(1, Math.min(limit, LIST_ROWS));
}

/** Finds nothing but held mail. */
function isOfHeld({ state, class: holdClass, check, code }: QueueFilter): boolean {
  return state === 'held' || (state === undefined && [holdClass, check, code].some((value) => value !== undefined));
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
  let query = selected(database.dialect).where('recipient.message', '=', key).orderBy('n');
  if (row) query = query.where('n', '=', row.n);
  const rows = rowsOf<SelectedRow>(await database.read(statement(query)));
  return domains === undefined ? rows : rows.filter(({ domain }) => domains.includes(domain));
}

export function selected(dialect: Database['dialect']): SelectedQuery {
  return builder<QueueTables>(dialect)
    .selectFrom('recipient')
    .innerJoin('message', 'message.key', 'recipient.message')
    .selectAll('recipient')
    .select('message.reverse_path');
}

/** Whether the filter finds a row that is not held: what `pageStatement` asks in SQL. */
export function finds(
  { state, class: holdClass, to, from, check, code, subject, domains }: QueueFilter,
  row: RecipientRow,
  message: Pick<MessageRow, 'reverse_path' | 'subject'>,
): boolean {
  if (state === 'held' || holdClass || check !== undefined || code !== undefined) return false;
  if (to !== undefined && !isFrom(row.address, to)) return false;
  if (from === '' && message.reverse_path !== null) return false;
  if (from && !isFrom(message.reverse_path ?? '', from)) return false;
  if (subject !== undefined && !(message.subject ?? '').toLowerCase().includes(subject.toLowerCase())) return false;
  return domains === undefined || domains.includes(row.domain);
}

function isFrom(address: string, addressOrDomain: string): boolean {
  const [is, wanted] = [address.toLowerCase(), addressOrDomain.toLowerCase()];
  return wanted.includes('@') ? is === wanted : is.endsWith(`@${wanted}`);
}

function pageStatement(
  dialect: Database['dialect'],
  { state, class: holdClass, to, from, check, code, subject, domains }: QueueFilter,
  limit: number,
  cursor: string | undefined,
): Statement {
  let query = selected(dialect).orderBy('recipient.message').orderBy('n').limit(limit);
  const after = cursor === undefined ? undefined : parseRowId(cursor);
  if (after) {
    const { key, n } = after;
    query = query
      .where('recipient.message', '>=', key)
      .where((eb) => eb.or([eb('recipient.message', '>', key), eb('n', '>', n)]));
  }
  if (state) query = query.where('state', '=', state);
  if (holdClass) query = query.where('hold_class', '=', holdClass);
  if (check !== undefined) query = query.where('held_check', '=', check);
  if (code !== undefined) query = query.where('held_code', '=', code);
  if (to !== undefined) query = query.where(isOf('recipient.address', to));
  if (from === '') query = query.where('reverse_path', 'is', null);
  else if (from !== undefined) query = query.where(isOf('message.reverse_path', from));
  if (subject !== undefined) query = query.where(contains('message.subject', subject));
  if (domains !== undefined) query = query.where(anyOf('recipient.domain', domains));
  return statement(query);
}

/** The column is this address, or one of this domain, in any case. */
export function isOf(column: string, addressOrDomain: string) {
  const text = addressOrDomain.toLowerCase();
  const address = sql`lower(${sql.ref(column)})`;
  return text.includes('@')
    ? sql<boolean>`${address} = ${text}`
    : sql<boolean>`${address} like ${`%@${literally(text)}`} escape '\\'`;
}

/** The column, in any case, has this part. */
export function contains(column: string, part: string) {
  return sql<boolean>`lower(${sql.ref(column)}) like ${`%${literally(part.toLowerCase())}%`} escape '\\'`;
}

/** For `like`. */
function literally(text: string): string {
  return text.replaceAll(/[%_\\]/g, '\\$&');
}

export function anyOf(column: string, values: readonly string[]) {
  return values.length === 0
    ? sql<boolean>`1 = 0`
    : sql<boolean>`${sql.ref(column)} in (${sql.join(values.map((value) => sql.val(value)))})`;
}
