/** Reports a domain without destination once an hour, however much mail comes for it. */

import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import { SCREEN_LIMITS } from '../limits.ts';

const reported = new WeakMap<Events, Map<string, number>>();

export function tellNoDestination({ clock, events }: { clock: Clock; events: Events }, domain: string): void {
  let lastReported = reported.get(events);
  if (!lastReported) {
    lastReported = new Map();
    reported.set(events, lastReported);
  }
  const now = clock.monotonic();
  const last = lastReported.get(domain);
  if (last !== undefined && now - last < SCREEN_LIMITS.repeatEventMs) return;
  if (lastReported.size >= SCREEN_LIMITS.rememberedEvents) lastReported.clear();
  lastReported.set(domain, now);
  events.emit('screen.no-destination', { domain });
}
