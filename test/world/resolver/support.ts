/** A resolver over a zone, and time that passes while it waits. */
import type { TestContext } from 'node:test';
import { createResolver, type ResolverOptions } from '../../../src/world/resolver/stub.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';
import { recordedEvents } from '../../support/events.ts';
import { seededRandom } from '../../support/random.ts';
import { startZone, type ZoneName } from '../../support/zone.ts';

export async function setUp(
  t: TestContext,
  records: Record<string, ZoneName>,
  options: Omit<ResolverOptions, 'servers'> = {},
) {
  const zone = await startZone(t, records);
  const clock = manualClock();
  const events = recordedEvents();
  const resolver = createResolver({ clock, random: seededRandom(), events }, { servers: [zone.server], ...options });
  return { zone, clock, events, resolver };
}

/** Moves the clock until the answer is there: the time-outs are the test's, the sockets are real. */
export async function elapse<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => {
    done = true;
  });
  while (!done) await clock.advance(50);
  return work;
}
