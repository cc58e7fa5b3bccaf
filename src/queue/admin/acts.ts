/**
 * How an act goes over the rows that are selected: page by page, message by message.
 *
 * An operator's word goes before a delivery in flight: the row's lease changes hands, so the
 * delivery's own settlement is void for it.
 */
import { isOperational } from '../../model/errors.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import type { AttemptDetail, QueueState } from '../contract.ts';
import type { Leased } from '../dispatch/active-claims.ts';
import { ACT_MESSAGES, ACT_UNIT_ROWS, LEASE_MS } from '../limits.ts';
import { idOf, rowId } from '../model/ids.ts';
import { recipients as moves } from '../model/transitions.ts';
import { NOT_HELD } from '../rows/held.ts';
import { readLeased } from '../rows/leased.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';
import { type Changes, writeChanges } from '../settle/changes.ts';
import { noteTakenAway } from '../settle/late-answers.ts';
import { inlineLeases } from './inline-rows.ts';
import { type QueueSelection, type SelectedRow, selectAll } from './selection.ts';

/** Reports the progress of a long act in rows; the act can be stopped between two messages or pages. */
export interface Watch {
  readonly signal: AbortSignal;
  done(count: number): void;
}

/** What was not delivered gets its rows now, as it would a moment later: nobody's word shall come between. */
async function putOff({ deferrals, lane }: AdmissionParts): Promise<void> {
  await deferrals.runNow();
  await Promise.all([...lane.inMemory()].map(({ lease }) => lane.spilling(lease)));
}

/** For rows that nobody has in hand: what is inline is none of them. */
export async function eachPage(
  parts: AdmissionParts,
  selection: QueueSelection,
  { state, watch }: { readonly state: RecipientRow['state']; readonly watch?: Watch },
  act: (rows: readonly SelectedRow[]) => Promise<number>,
): Promise<number> {
  let count = 0;
  await putOff(parts);
  for await (const page of selectAll(parts.database, selection)) {
    const rows = page.filter((row) => row.state === state);
    for (let at = 0; at < rows.length; at += ACT_UNIT_ROWS) {
      count += await act(rows.slice(at, at + ACT_UNIT_ROWS));
      watch?.done(count);
      if (watch?.signal.aborted) return count;
    }
  }
  return count;
}

type Plan = (
  leased: Leased,
  rows: readonly RecipientRow[],
  now: number,
  siblings: readonly RecipientRow[],
) => Omit<Changes, 'by'>;

interface Doing {
  readonly by: string;
  readonly name: 'hold' | 'delete' | 'bounce' | 'redirect';
  readonly watch?: Watch;
}

/** So many messages at once that their units share commits; what is inline is spilled where the selection means it. */
export async function eachMessage(
  parts: AdmissionParts,
  selection: QueueSelection,
  { by, name, watch }: Doing,
  plan: Plan,
): Promise<number> {
  let count = 0;
  await putOff(parts);
  await parts.lane.spill(inlineLeases(parts.lane, selection));
  for await (const page of selectAll(parts.database, selection)) {
    const rows = page.filter((row) => name !== 'hold' || row.state === 'queued');
    const messages = [...Map.groupBy(rows, (row) => row.message).values()];
    for (let at = 0; at < messages.length; at += ACT_MESSAGES) {
      const acts = messages.slice(at, at + ACT_MESSAGES).map(async (ofMessage) => {
        const to = ofMessage.map((row) => moves[name](row.state, nameOf(row)))[0]!;
        const changed = await actOn(parts, ofMessage, { by, to, plan });
        count += changed;
      });
      const failed = (await Promise.allSettled(acts)).find((one) => one.status === 'rejected');
      watch?.done(count);
      if (failed) throw failed.reason;
      if (watch?.signal.aborted) return count;
    }
  }
  return count;
}

/** Takes the rows from any lease, then changes them; a row that ended meanwhile is no longer there. */
export async function actOn(
  parts: AdmissionParts,
  rows: readonly RecipientRow[],
  { by, to, plan }: { readonly by: string; readonly to: QueueState; readonly plan: Plan },
): Promise<number> {
  const { database, sql, dispatch, lane, clock, newLease } = parts;
  const lease = newLease();
  const lease_until = clock.now() + LEASE_MS;
  const leases = rows.map((row) => row.lease).filter((held) => held !== null);
  // What is spilled by itself just now has rows before the ledger knows of it.
  await lane.spill(leases);
  const results = await database.write(rows.map(({ message, n }) => sql.seize({ message, n, lease, lease_until })));
  dispatch.forget(leases);
  const ours = rows.filter((_, at) => results[at]!.changes === 1);
  noteTakenAway(dispatch.activeClaims, ours, to);
  const leased = ours.length > 0 ? await readLeased(parts, sql, lease, ours) : undefined;
  if (!leased) return 0;
  const siblings = rowsOf<RecipientRow>(await database.read(sql.recipients({ message: leased.key })));
  try {
    await writeChanges(parts, leased, { ...plan(leased, ours, clock.now(), siblings), by });
  } catch (error) {
    // Another operator was quicker.
    if (isOperational(error, 'store.expectation')) return 0;
    throw error;
  }
  return ours.length;
}

export function nameOf({ message, n }: Pick<RecipientRow, 'message' | 'n'>): string {
  return rowId(message, n);
}

export function fresh(
  { reverse_path: _, ...row }: SelectedRow | (RecipientRow & { reverse_path?: unknown }),
  now: number,
): RecipientRow {
  return {
    ...row,
    state: moves.sendOn('new', idOf(row.message)),
    hold_class: null,
    hold_reason: null,
    queued_at: now,
    due: now,
    attempts: 0,
    lease: null,
    lease_until: null,
    last: null,
    held_until: null,
    held_then: null,
    ...NOT_HELD,
  };
}

export function said(at: number, status: string, reply: string): AttemptDetail {
  return { at, status, reply, remote: false };
}
