/**
 * The queue admin: what is queued, and what may be done to it, page by page so that a million
 * rows stop nobody.
 *
 * An operator's word goes before a delivery in flight: the row's lease changes hands, so the
 * delivery's own settlement is void for it. (What the next host has accepted meanwhile stays
 * accepted, and the log says so.)
 */

import type { Address } from '../../model/address.ts';
import { isOperational } from '../../model/errors.ts';
import { builder, statement } from '../../store/statement.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import type { AttemptDetail, QueueState } from '../contract.ts';
import type { Leased } from '../dispatch/active-claims.ts';
import { recipientsFor } from '../dsn/bounce.ts';
import { wants } from '../dsn/notices.ts';
import { attemptRecord } from '../journal/records.ts';
import { LEASE_MS } from '../limits.ts';
import { idOf, keyOf, rowId } from '../model/ids.ts';
import { recipients as moves } from '../model/transitions.ts';
import { readLeased } from '../rows/leased.ts';
import { rowsOf } from '../rows/statements.ts';
import type { MessageRow, QueueTables, RecipientRow } from '../rows/tables.ts';
import { type Changes, writeChanges } from '../settle/changes.ts';
import { noteTakenAway } from '../settle/late-answers.ts';
import {
  isOfDomains,
  type QueueFilter,
  type QueueSelection,
  type SelectedRow,
  selectAll,
  selectPage,
} from './selection.ts';
import { type QueuedMessage, type QueuedRow, queuedMessage, queuedRow } from './shown.ts';

/** Each act returns how many rows it changed; `by` goes to the journal. */
export interface QueueAdmin {
  list(
    filter: QueueFilter,
    page: { readonly limit?: number; readonly cursor?: string },
  ): Promise<{ readonly rows: readonly QueuedRow[]; readonly cursor?: string }>;
  /** With `domains`: only its recipients of those policy domains. */
  show(messageId: string, domains?: readonly string[]): Promise<QueuedMessage | undefined>;
  counts(): Promise<{ readonly queued: number; readonly held: number }>;
  retry(selection: QueueSelection, by: string): Promise<number>;
  hold(selection: QueueSelection, reason: string, by: string): Promise<number>;
  release(selection: QueueSelection, by: string): Promise<number>;
  redirect(selection: QueueSelection, to: Address, by: string): Promise<number>;
  bounce(selection: QueueSelection, reason: string, by: string): Promise<number>;
  delete(selection: QueueSelection, by: string): Promise<number>;
}

export function createQueueAdmin(parts: AdmissionParts): QueueAdmin {
  const { database, sql, dispatch, clock, journaling } = parts;

  /** What is on the inline way has rows to be looked at then; where the disk does not take them, it is not shown. */
  const everythingSpills = (): Promise<void> => spillEverything(parts).catch(() => undefined);

  const seen = () => ({ destinations: dispatch.destinations, now: clock.now() });

  const note = (row: SelectedRow, state: RecipientRow['state'], reply: string, by: string): void => {
    const detail = said(clock.now(), '2.0.0', reply);
    journaling.changed(attemptRecord(idOf(row.message), row.address, state, detail, by));
  };

  return {
    async list(filter, page) {
      await everythingSpills();
      const { rows, cursor } = await selectPage(database, filter, page);
      const shown = rows.map((row) => queuedRow(row, row.reverse_path, seen()));
      return { rows: shown, ...(cursor !== undefined && { cursor }) };
    },
    async show(messageId, domains) {
      const key = keyOf(messageId);
      if (key === undefined) return undefined;
      await everythingSpills();
      const [message] = rowsOf<MessageRow>(await database.read(sql.message({ message: key })));
      if (!message) return undefined;
      const { reverse_path } = message;
      const rows = rowsOf<RecipientRow>(await database.read(sql.recipients({ message: key }))).filter(
        (row) => !domains || isOfDomains({ ...row, reverse_path }, domains),
      );
      // Of nobody's recipients nothing is told, not even the size.
      return rows.length === 0 && domains ? undefined : queuedMessage(message, rows, seen());
    },
    async counts() {
      await everythingSpills();
      const query = builder<QueueTables>(database.dialect)
        .selectFrom('recipient')
        .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
        .groupBy('state');
      const rows = rowsOf<{ state: string; count: number }>(await database.scan(statement(query)));
      const of = (state: string): number => Number(rows.find((row) => row.state === state)?.count ?? 0);
      return { queued: of('queued'), held: of('held') };
    },
    async retry(selection, by) {
      return eachPage(parts, selection, 'queued', async (rows) => {
        const due = clock.now();
        const results = await database.write(rows.map(({ message, n }) => sql.retryNow({ message, n, due })));
        return changed(rows, results, (row) => note(row, moves.retry(row.state, nameOf(row)), 'to be tried now', by));
      });
    },
    async release(selection, by) {
      return eachPage(parts, selection, 'held', async (rows) => {
        const due = clock.now();
        const results = await database.write(rows.map(({ message, n }) => sql.releaseHeld({ message, n, due })));
        return changed(rows, results, (row) => note(row, moves.release(row.state, nameOf(row)), 'released', by));
      });
    },
    hold: (selection, reason, by) =>
      eachMessage(parts, selection, by, 'hold', (leased, rows, now) => ({
        changes: leased.recipients.map((recipient, at) => ({
          kind: 'hold',
          recipient,
          class: 'operator',
          reason,
          cause: 'operator',
          attempts: recipient.attempts,
          last: rows[at]!.last === null ? null : JSON.parse(rows[at]!.last),
          detail: said(now, '2.0.0', reason),
        })),
        notices: [],
      })),
    delete: (selection, by) =>
      eachMessage(parts, selection, by, 'delete', ({ recipients }, _, now) => ({
        changes: recipients.map((recipient) => ({
          kind: 'end',
          recipient,
          state: 'deleted',
          detail: said(now, '2.0.0', 'deleted'),
        })),
        notices: [],
      })),
    bounce: (selection, reason, by) =>
      eachMessage(parts, selection, by, 'bounce', ({ recipients, message }, _, now) => {
        const detail = said(now, '5.7.0', reason);
        const told = message.reversePath === null ? [] : recipients.filter(({ notify }) => wants(notify, 'failure'));
        return {
          changes: recipients.map((recipient) => ({ kind: 'end', recipient, state: 'bounced', detail })),
          notices: told.map((recipient) => ({ action: 'failed', recipient, detail })),
        };
      }),
    async redirect(selection, to, by) {
      const targets = await recipientsFor(parts, to);
      return eachMessage(parts, selection, by, 'redirect', ({ recipients }, rows, now, siblings) => {
        let n = siblings.reduce((highest, sibling) => Math.max(highest, sibling.n), 0);
        return {
          changes: recipients.map((recipient) => ({
            kind: 'end',
            recipient,
            state: 'redirected',
            detail: said(now, '2.0.0', `redirected to ${to.text}`),
          })),
          notices: [],
          rows: rows.flatMap((row) =>
            targets.map(({ address, direction, destination }) => ({
              ...fresh(row, now),
              n: ++n,
              address: address.text,
              original: row.original ?? row.address,
              direction,
              destination,
            })),
          ),
        };
      });
    },
  };

  function changed(
    rows: readonly SelectedRow[],
    results: readonly { readonly changes: number }[],
    tell: (row: SelectedRow) => void,
  ): number {
    const done = rows.filter((_, at) => results[at]!.changes === 1);
    for (const row of done) tell(row);
    if (done.length > 0) dispatch.retryNow(new Set(done.map(({ destination }) => destination)));
    return done.length;
  }
}

/** What was not delivered is first put off, as it would be a moment later: nobody's word shall come between. */
async function spillEverything({ lane, deferrals }: AdmissionParts): Promise<void> {
  await deferrals.hurry();
  await lane.spillAll();
}

async function eachPage(
  parts: AdmissionParts,
  selection: QueueSelection,
  state: RecipientRow['state'],
  act: (rows: readonly SelectedRow[]) => Promise<number>,
): Promise<number> {
  let count = 0;
  await spillEverything(parts);
  for await (const page of selectAll(parts.database, selection)) {
    const rows = page.filter((row) => row.state === state);
    if (rows.length > 0) count += await act(rows);
  }
  return count;
}

type Plan = (
  leased: Leased,
  rows: readonly RecipientRow[],
  now: number,
  siblings: readonly RecipientRow[],
) => Omit<Changes, 'by'>;

async function eachMessage(
  parts: AdmissionParts,
  selection: QueueSelection,
  by: string,
  name: 'hold' | 'delete' | 'bounce' | 'redirect',
  plan: Plan,
): Promise<number> {
  let count = 0;
  await spillEverything(parts);
  for await (const page of selectAll(parts.database, selection)) {
    const rows = page.filter((row) => name !== 'hold' || row.state === 'queued');
    for (const ofMessage of Map.groupBy(rows, (row) => row.message).values()) {
      const to = ofMessage.map((row) => moves[name](row.state, nameOf(row)))[0]!;
      count += await actOn(parts, ofMessage, { by, to, plan });
    }
  }
  return count;
}

/** Takes the rows from whoever has them, then changes them; a row that ended meanwhile is no longer there. */
async function actOn(
  parts: AdmissionParts,
  rows: readonly SelectedRow[],
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

function nameOf({ message, n }: SelectedRow): string {
  return rowId(message, n);
}

function fresh(
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
  };
}

function said(at: number, status: string, reply: string): AttemptDetail {
  return { at, status, reply, remote: false };
}
