/**
 * Work that must be done once the disk allows: settling what was delivered, giving back a claim.
 * It is ours alone (we hold the lease), so trying again repeats nothing.
 */
import { isOperational } from '../../model/errors.ts';
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';

const AGAIN_AFTER_MS = 1000;

/** Rejects only with what no time will mend: defects, and lost expectations. */
export async function keepTrying<T>(
  { clock, events }: { readonly clock: Clock; readonly events: Events },
  work: string,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await attempt();
    } catch (error) {
      if (!isOperational(error, 'store.unavailable') && !isOperational(error, 'store.full')) throw error;
      if (!told) events.emit('queue.work-failed', { work, error: error.message });
      await clock.sleep(AGAIN_AFTER_MS);
    }
  }
}
