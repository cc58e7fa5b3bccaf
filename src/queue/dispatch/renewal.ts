/**
 * Keeps our leases alive: a claim of a slow peer stays ours until it is settled. If nodes share a database,
 * a claim whose lease another node took nevertheless, as after a long fault, is not tried any further.
 */

import type { Statement } from '../../store/contract.ts';
import type { TimerHandle } from '../../world/clock.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import { LEASE_MS, RENEW_EVERY_MS, RENEWED_ROWS } from '../limits.ts';
import type { ActiveClaim } from './active-claims.ts';

export interface Renewal {
  stop(): void;
}

interface Renewed {
  readonly unit: Statement[];
  /** The claim of each statement. */
  readonly of: ActiveClaim[];
}

export function createRenewal({ database, sql, dispatch, lane, clock, events, sharedAs }: AdmissionParts): Renewal {
  let timer: TimerHandle;

  const renew = async (): Promise<void> => {
    const now = clock.monotonic();
    const lease_until = clock.now() + LEASE_MS;
    let batch: Renewed = { unit: [], of: [] };
    for (const active of [...dispatch.activeClaims.values()]) {
      // What is not in the database is nobody's but ours.
      if (now - active.leasedAt < RENEW_EVERY_MS || lane.holds(active.lease)) continue;
      const { lease } = active;
      for (const { row } of active.recipients) {
        batch.unit.push(sql.renewLease({ message: active.key, n: row, lease, lease_until }));
        batch.of.push(active);
      }
      if (batch.unit.length < RENEWED_ROWS) continue;
      await write(batch, now);
      batch = { unit: [], of: [] };
    }
    if (batch.unit.length > 0) await write(batch, now);
  };

  const write = async ({ unit, of }: Renewed, now: number): Promise<void> => {
    const results = await database.write(unit);
    const kept = new Set(of.filter((_, at) => results[at]!.changes > 0));
    for (const active of new Set(of)) {
      if (kept.has(active)) active.leasedAt = now;
      else if (sharedAs !== undefined) giveUp(active);
    }
  };

  const giveUp = (active: ActiveClaim): void => {
    if (active.phase === 'buffered') dispatch.forget([active.lease]);
    else if (active.phase === 'taken') dispatch.stopTry(active);
  };

  const arm = (): void => {
    timer = clock.after(RENEW_EVERY_MS, () => {
      renew().catch((error: Error) => events.emit('queue.work-failed', { work: 'renew leases', error: error.message }));
      arm();
    });
  };
  arm();
  return { stop: () => timer.cancel() };
}
