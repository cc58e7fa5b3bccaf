/**
 * Holds that end at a time: the clock lets go of what is held until then, or deletes it.
 *
 * It sleeps until the earliest of them, which an index tells, and works through what is over in bounded
 * batches. What it cannot do now, it tries again a second later; nothing is let go before its time.
 */

import { isOperational } from '../../model/errors.ts';
import type { TimerHandle } from '../../world/clock.ts';
import { turn } from '../../world/turn.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import { attemptRecord } from '../journal/records.ts';
import { HOLD_AGAIN_MS, HOLD_LOOK_MS, LEASE_MS, TIMER_ROWS } from '../limits.ts';
import { idOf } from '../model/ids.ts';
import { recipients as moves } from '../model/transitions.ts';
import { readLeased } from '../rows/leased.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';
import { writeChanges } from './changes.ts';

export interface HoldClock {
  /** A row is held until then. */
  note(until: number): void;
  /** Finds the earliest in the database, and ends what is over. */
  start(parts: AdmissionParts): Promise<void>;
  stop(): void;
}

export function createHoldClock({ clock, events }: Pick<AdmissionParts, 'clock' | 'events'>): HoldClock {
  let parts: AdmissionParts | undefined;
  let timer: TimerHandle | undefined;
  let wakesAt = Number.POSITIVE_INFINITY;
  let stopped = false;

  const arm = (at: number): void => {
    if (stopped || !parts || at >= wakesAt) return;
    timer?.cancel();
    wakesAt = at;
    // Somebody may set the clock: it is asked again now and then.
    const delayMs = Math.min(Math.max(0, at - clock.now()), HOLD_LOOK_MS);
    timer = clock.after(delayMs, () => {
      wakesAt = Number.POSITIVE_INFINITY;
      look().catch((error: Error) => {
        events.emit('queue.work-failed', { work: 'end holds', error: error.message });
        arm(clock.now() + HOLD_AGAIN_MS);
      });
    });
  };

  const look = async (): Promise<void> => {
    while (parts && !stopped && (await endBatch(parts))) await turn();
    if (!parts || stopped) return;
    const [next] = rowsOf<{ held_until: number }>(await parts.database.read(parts.sql.nextHoldEnd({})));
    if (next) arm(next.held_until);
  };

  return {
    note: arm,
    async start(whole) {
      parts = whole;
      await look();
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** True: there may be more. */
async function endBatch(parts: AdmissionParts): Promise<boolean> {
  const { database, sql, clock } = parts;
  const rows = rowsOf<RecipientRow>(await database.read(sql.holdsOver({ now: clock.now() })));
  const wanted = rows.filter((row) => row.held_then !== 'deleted');
  if (wanted.length > 0) await letGo(parts, wanted);
  const unwanted = Map.groupBy(
    rows.filter((row) => row.held_then === 'deleted'),
    ({ message }) => message,
  );
  for (const ofMessage of unwanted.values()) await drop(parts, ofMessage);
  return rows.length === TIMER_ROWS;
}

async function letGo(parts: AdmissionParts, rows: readonly RecipientRow[]): Promise<void> {
  const { database, sql, clock, dispatch, journaling } = parts;
  const due = clock.now();
  const unit = rows.map(({ message, n, held_until }) => sql.letGo({ message, n, due, held_until: held_until! }));
  const results = await database.write(unit);
  rows.forEach((row, at) => {
    if (results[at]!.changes !== 1) return;
    const id = idOf(row.message);
    const detail = { at: due, status: '2.0.0', reply: 'the time of its hold is over', remote: false };
    journaling.changed(attemptRecord(id, row.address, moves.letGo(row.state, id), detail));
    dispatch.note(row.destination, due);
  });
}

/** `rows`: of one message. */
async function drop(parts: AdmissionParts, rows: readonly RecipientRow[]): Promise<void> {
  const { database, sql, clock, newLease } = parts;
  const lease = newLease();
  const now = clock.now();
  const results = await database.write(
    rows.map(({ message, n, held_until }) =>
      sql.takeTimed({ message, n, lease, lease_until: now + LEASE_MS, held_until: held_until! }),
    ),
  );
  const ours = rows.filter((_, at) => results[at]!.changes === 1);
  const leased = ours.length > 0 ? await readLeased(parts, sql, lease, ours) : undefined;
  if (!leased) return;
  const detail = { at: now, status: '2.0.0', reply: 'the time of its hold is over: deleted', remote: false };
  const changes = leased.recipients.map((recipient, at) => ({
    kind: 'end' as const,
    recipient,
    state: moves.drop(ours[at]!.state, leased.message.id),
    detail,
  }));
  try {
    await writeChanges(parts, leased, { changes, notices: [] });
  } catch (error) {
    // An operator took one of them meanwhile: the rest is looked at again.
    if (!isOperational(error, 'store.expectation')) throw error;
    await database.write(ours.map(({ message, n }) => sql.releaseLeased({ message, n, lease })));
  }
}
