/**
 * Pages of held mail, newest first, however much there is.
 *
 * One condition leads: the one that finds the least, by an index of its own in the order of arrival. The
 * others are asked of the rows that it finds, at most HELD_LOOKED_AT of them for one page: a page may be
 * short, and its cursor goes on where it stopped. (A condition that must not lead stands behind a function
 * that changes nothing, so that no planner takes its index instead.)
 */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../store/contract.ts';
import { builder, statement } from '../../store/statement.ts';
import { HELD_LOOKED_AT } from '../limits.ts';
import { parseRowId, rowId } from '../model/ids.ts';
import { rowsOf } from '../rows/statements.ts';
import type { QueueTables } from '../rows/tables.ts';
import {
  anyOf,
  contains,
  isOf,
  pageOfRows,
  type QueueFilter,
  type SelectedPage,
  type SelectedRow,
  selected,
} from './selection.ts';

type Condition = RawBuilder<boolean>;

interface Conditions {
  /** Undefined: all held rows. */
  readonly lead: Condition | undefined;
  readonly others: readonly Condition[];
}

export async function selectHeld(
  database: Database,
  filter: QueueFilter,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<SelectedPage> {
  const { lead, others } = conditionsOf(filter);
  const before = cursor === undefined ? undefined : parseRowId(cursor);
  const reach = [
    sql<boolean>`recipient.state = 'held'`,
    ...(lead ? [lead] : []),
    ...(before
      ? [
          sql<boolean>`recipient.message <= ${before.key}`,
          sql<boolean>`(recipient.message < ${before.key} or recipient.n < ${before.n})`,
        ]
      : []),
  ];
  // Without further conditions each row that is looked at is one of the page.
  const end = others.length === 0 ? undefined : await endOfLook(database, reach);
  let query = selected(database.dialect)
    .orderBy('recipient.message', 'desc')
    .orderBy('recipient.n', 'desc')
    .limit(limit + 1);
  for (const condition of [...reach, ...others]) query = query.where(condition);
  if (end !== undefined) query = query.where('recipient.message', '>=', end);
  const page = statement(query);
  const found = rowsOf<SelectedRow>(await (others.length === 0 ? database.read(page) : database.scan(page)));
  return pageOfRows(found, limit) ?? { rows: found, ...(end !== undefined && { cursor: rowId(end, 0) }) };
}

/** The message at which the look for one page ends; undefined: it goes to the oldest. */
async function endOfLook(database: Database, reach: readonly Condition[]): Promise<number | undefined> {
  let query = builder<QueueTables>(database.dialect)
    .selectFrom('recipient')
    .select('message')
    .orderBy('message', 'desc')
    .orderBy('n', 'desc')
    .limit(1)
    .offset(HELD_LOOKED_AT);
  for (const condition of reach) query = query.where(condition);
  const [row] = rowsOf<{ message: number }>(await database.scan(statement(query)));
  return row?.message;
}

function conditionsOf(filter: QueueFilter): Conditions {
  // What finds the least comes first.
  const { to, from, check, code, subject, domains, class: holdClass } = filter;
  const leads: [column: string, value: string][] = [];
  const others: Condition[] = [];
  if (to?.includes('@')) leads.push(['lower(address)', to.toLowerCase()]);
  else if (to !== undefined) others.push(isOf('recipient.address', to));
  if (from !== undefined)
    leads.push([from.includes('@') || from === '' ? 'held_sender' : 'held_sender_domain', from.toLowerCase()]);
  if (check !== undefined) leads.push(['held_check', check]);
  if (domains?.length === 1) leads.push(['domain', domains[0]!]);
  else if (domains) others.push(anyOf('recipient.domain', domains));
  if (holdClass) leads.push(['hold_class', holdClass]);
  if (code !== undefined) others.push(sql`held_code = ${code}`);
  if (subject !== undefined) others.push(contains('recipient.held_subject', subject));
  const [first, ...behind] = leads;
  return {
    lead: first && sql`${sql.raw(first[0])} = ${first[1]}`,
    others: [
      ...behind.map(([column, value]): Condition => sql`coalesce(${sql.raw(column)}, '') = ${value}`),
      ...others,
    ],
  };
}
