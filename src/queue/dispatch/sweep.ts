/**
 * Finds the destinations that have waiting rows: all of them at start, and then, slowly and for ever,
 * those that had no place in memory. One seek in an index a destination, however many rows it has.
 */

import type { TimerHandle } from '../../world/clock.ts';
import { turn } from '../../world/turn.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import { KNOWN_DESTINATIONS, SWEEP_DESTINATIONS, TIMERS_EVERY_MS } from '../limits.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';

export interface Sweep {
  /** One pass; resolves when every destination was seen, or the memory for them is full. */
  run(): Promise<void>;
  stop(): void;
}

export function createSweep({ database, sql, dispatch, clock, events }: AdmissionParts): Sweep {
  const { destinations } = dispatch;
  let after = '';
  let stopped = false;
  let timer: TimerHandle | undefined;

  /** False at the end of the order. */
  const step = async (): Promise<boolean> => {
    for (let i = 0; i < SWEEP_DESTINATIONS; i++) {
      const [next] = rowsOf<Pick<RecipientRow, 'destination' | 'due'>>(
        await database.read(sql.nextDestination({ after })),
      );
      if (!next) {
        after = '';
        return false;
      }
      after = next.destination;
      dispatch.note(next.destination, next.due);
    }
    return true;
  };

  const arm = (): void => {
    timer = clock.after(TIMERS_EVERY_MS, () => {
      pass().catch((error: Error) => events.emit('queue.work-failed', { work: 'sweep', error: error.message }));
    });
  };

  const pass = async (): Promise<void> => {
    try {
      while (!stopped && destinations.size < KNOWN_DESTINATIONS && (await step())) await turn();
    } finally {
      if (!stopped) arm();
    }
  };

  return {
    run: pass,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
