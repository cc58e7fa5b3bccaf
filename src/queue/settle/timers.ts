/**
 * What happens to rows by their age alone: the sender is warned once of the delay, and rows that no
 * try has ended in time expire. Rows in flight are left to their settlement.
 *
 * Rows are leased first, as for a delivery, so that whatever else wants them finds them taken.
 */

import { isOperational } from '../../model/errors.ts';
import type { TimerHandle } from '../../world/clock.ts';
import { turn } from '../../world/turn.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import type { AttemptDetail } from '../contract.ts';
import type { Leased } from '../dispatch/active-claims.ts';
import { type Notice, wants } from '../dsn/notices.ts';
import { LEASE_MS, TIMERS_EVERY_MS } from '../limits.ts';
import { scheduleOf } from '../model/schedule.ts';
import { recipients as moves } from '../model/transitions.ts';
import { readLeased } from '../rows/leased.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';
import { writeChanges } from './changes.ts';
import { rulesFor } from './settle.ts';
import { type Change, failure, noticeOf } from './settlement.ts';

export interface Timers {
  stop(): void;
}

type Age = 'expired' | 'delayed';

export function createTimers(parts: AdmissionParts): Timers {
  const { clock, events } = parts;
  let timer: TimerHandle;
  let stopped = false;

  const look = async (): Promise<void> => {
    while (!stopped && (await handleOld(parts, 'expired'))) await turn();
    while (!stopped && (await handleOld(parts, 'delayed'))) await turn();
  };
  const arm = (): void => {
    if (stopped) return;
    timer = clock.after(TIMERS_EVERY_MS, () => {
      look()
        .catch((error: Error) => events.emit('queue.work-failed', { work: 'timers', error: error.message }))
        .finally(arm);
    });
  };
  arm();
  return {
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}

/** One bounded batch; false when there was none. */
async function handleOld(parts: AdmissionParts, age: Age): Promise<boolean> {
  const { database, sql, clock, settings } = parts;
  const { expiryMs, warnAfterMs } = scheduleOf(settings.current());
  const now = clock.now();
  const found: RecipientRow[] = [];
  if (age === 'expired') {
    for (const warned of [0, 1] as const)
      found.push(...rowsOf<RecipientRow>(await database.read(sql.older({ warned, before: now - expiryMs }))));
  } else if (warnAfterMs !== undefined)
    found.push(...rowsOf<RecipientRow>(await database.read(sql.older({ warned: 0, before: now - warnAfterMs }))));
  for (const rows of byMessage(found)) await handleMessage(parts, age, rows, expiryMs);
  return found.length > 0;
}

async function handleMessage(
  parts: AdmissionParts,
  age: Age,
  rows: readonly RecipientRow[],
  expiryMs: number,
): Promise<void> {
  const { database, sql, newLease, clock } = parts;
  const lease = newLease();
  const lease_until = clock.now() + LEASE_MS;
  const results = await database.write(rows.map(({ message, n }) => sql.takeLease({ message, n, lease, lease_until })));
  const ours = rows.filter((_, at) => results[at]!.changes === 1);
  const leased = ours.length > 0 ? await readLeased(parts, sql, lease, ours) : undefined;
  if (!leased) return;
  const wanted = age === 'expired' ? expiry(parts, leased, ours) : warning(leased, ours, clock.now(), expiryMs);
  try {
    await writeChanges(parts, leased, wanted);
  } catch (error) {
    // An operator took one of them meanwhile: the rest is looked at again.
    if (!isOperational(error, 'store.expectation')) throw error;
    await database.write(ours.map(({ message, n }) => sql.releaseLeased({ message, n, lease })));
  }
}

interface Wanted {
  readonly changes: readonly Change[];
  readonly notices: readonly Notice[];
}

function expiry(parts: AdmissionParts, leased: Leased, rows: readonly RecipientRow[]): Wanted {
  const rules = rulesFor(parts, leased);
  const changes = rows.map((row, at) => failure(leased.recipients[at]!, 'expired', lastDetail(row, rules.now), rules));
  const notices = changes.map((change) => noticeOf(change, rules, false)).filter((notice) => notice !== undefined);
  return { changes, notices };
}

function warning(leased: Leased, rows: readonly RecipientRow[], now: number, expiryMs: number): Wanted {
  const notices: Notice[] = [];
  const changes = rows.map((row, at): Change => {
    const recipient = leased.recipients[at]!;
    moves.warn(row.state, leased.message.id);
    if (wants(recipient.notify, 'delay') && leased.message.reversePath !== null) {
      const willRetryUntil = row.queued_at + expiryMs;
      notices.push({ action: 'delayed', recipient, detail: lastDetail(row, now), willRetryUntil });
    }
    const detail = { at: now, status: '2.0.0', reply: 'the sender was told of the delay', remote: false };
    return { kind: 'warned', recipient, due: row.due, detail };
  });
  return { changes, notices };
}

/** What the last try came to; RFC 3463 3.5: 4.4.7 is a delivery time that expired. */
function lastDetail(row: RecipientRow, now: number): AttemptDetail {
  if (row.last !== null) return JSON.parse(row.last) as AttemptDetail;
  return { at: now, status: '4.4.7', reply: 'no try was possible in time', remote: false };
}

function byMessage(rows: readonly RecipientRow[]): RecipientRow[][] {
  const messages = new Map<number, RecipientRow[]>();
  for (const row of rows) {
    const siblings = messages.get(row.message);
    if (siblings) siblings.push(row);
    else messages.set(row.message, [row]);
  }
  return [...messages.values()];
}
