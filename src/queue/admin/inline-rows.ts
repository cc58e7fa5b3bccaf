/**
 * Mail on the inline way as an operator sees and counts it: as the rows that it would have, under the
 * lease that it has. Looking makes nothing leave the inline way; an act spills what it is about.
 *
 * The entries are read before the database: what is spilled in between is found twice, and the database's
 * row is the newer. What ends in between is shown once more.
 */
import type { Lane } from '../inline/lane.ts';
import { idOf, parseRowId, rowId } from '../model/ids.ts';
import { finds, type QueueFilter, type QueueSelection, type SelectedPage, type SelectedRow } from './selection.ts';

/** Those that the filter finds, in the order of their keys. */
export function inlineRows(lane: Pick<Lane, 'inMemory'>, filter: QueueFilter, cursor?: string): readonly SelectedRow[] {
  const after = cursor === undefined ? undefined : parseRowId(cursor);
  const rows: SelectedRow[] = [];
  for (const { lease, message, recipients } of lane.inMemory()) {
    if (after && message.key < after.key) continue;
    for (const row of recipients) {
      if (after && row.message === after.key && row.n <= after.n) continue;
      if (finds(filter, row, message)) rows.push({ ...row, lease, reverse_path: message.reverse_path });
    }
  }
  return rows.sort((a, b) => a.message - b.message || a.n - b.n);
}

/** One page of both; the database's page is in the order of the keys too. */
export function mergedPage(page: SelectedPage, inline: readonly SelectedRow[], limit: number): SelectedPage {
  if (inline.length === 0) return page;
  const last = page.cursor === undefined ? undefined : page.rows.at(-1);
  const stored = new Set(page.rows.map(({ message, n }) => rowId(message, n)));
  const more = inline.filter(
    ({ message, n }) =>
      !stored.has(rowId(message, n)) &&
      // Further ones belong to a later page.
      (!last || message < last.message || (message === last.message && n < last.n)),
  );
  const rows = [...page.rows, ...more].sort((a, b) => a.message - b.message || a.n - b.n);
  if (rows.length <= limit) return { rows, ...(page.cursor !== undefined && { cursor: page.cursor }) };
  const end = rows[limit - 1]!;
  return { rows: rows.slice(0, limit), cursor: rowId(end.message, end.n) };
}

/** The leases of what a selection means. */
export function inlineLeases(lane: Pick<Lane, 'inMemory'>, selection: QueueSelection): readonly string[] {
  if (!('ids' in selection)) return [...new Set(inlineRows(lane, selection.filter).map(({ lease }) => lease!))];
  const { ids, domains } = selection;
  const wanted = new Set(ids);
  const leases: string[] = [];
  for (const { lease, message, recipients } of lane.inMemory()) {
    const isMeant = recipients.some(
      ({ n, domain }) =>
        (!domains || domains.includes(domain)) && (wanted.has(idOf(message.key)) || wanted.has(rowId(message.key, n))),
    );
    if (isMeant) leases.push(lease);
  }
  return leases;
}
