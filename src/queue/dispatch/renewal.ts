/** Keeps our leases alive: a claim of a slow peer stays ours until it is settled. */

import type { Statement } from '../../store/contract.ts';
import type { TimerHandle } from '../../world/clock.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import { ACT_ROWS, LEASE_MS, RENEW_EVERY_MS } from '../limits.ts';

export interface Renewal {
  stop(): void;
}

export function createRenewal({ database, sql, dispatch, lane, clock, events }: AdmissionParts): Renewal {
  let timer: TimerHandle;

  const renew = async (): Promise<void> => {
    let unit: Statement[] = [];
    const now = clock.monotonic();
    const lease_until = clock.now() + LEASE_MS;
    for (const active of dispatch.activeClaims.values()) {
      // What is not in the database is nobody's but ours.
      if (now - active.leasedAt < RENEW_EVERY_MS || lane.holds(active.lease)) continue;
      active.leasedAt = now;
      const { lease } = active.claim;
      for (const { row } of active.recipients)
        unit.push(sql.renewLease({ message: active.key, n: row, lease, lease_until }));
      if (unit.length < ACT_ROWS) continue;
      await database.write(unit);
      unit = [];
    }
    if (unit.length > 0) await database.write(unit);
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
