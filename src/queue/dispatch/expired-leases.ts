/**
 * If nodes share a database: rows under leases that a dead node no longer renews wait again, or are held
 * if they were marked so. Of several nodes that look at once, one takes each row; a node that lives after
 * all, and settles late, finds its lease gone, and its settling void.
 */
import type { TimerHandle } from '../../world/clock.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import { RENEW_EVERY_MS } from '../limits.ts';
import { leasesOf } from '../model/nodes.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';

export interface ExpiredLeases {
  stop(): void;
}

export function createExpiredLeases({
  database,
  sql,
  clock,
  events,
  dispatch,
  sharedAs,
}: AdmissionParts): ExpiredLeases {
  if (sharedAs === undefined) return { stop() {} };
  const ours = leasesOf(sharedAs);
  let timer: TimerHandle;
  let stopped = false;

  const look = async (): Promise<void> => {
    const now = clock.now();
    const [, voided] = await database.write([sql.holdExpired({ ours, now }), sql.voidExpired({ ours, now })]);
    for (const { destination, due } of rowsOf<Pick<RecipientRow, 'destination' | 'due'>>(voided!.rows))
      dispatch.note(destination, due);
  };

  const arm = (): void => {
    timer = clock.after(RENEW_EVERY_MS, () => {
      look()
        .catch((error: Error) => events.emit('queue.work-failed', { work: 'expired leases', error: error.message }))
        .finally(() => {
          if (!stopped) arm();
        });
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
