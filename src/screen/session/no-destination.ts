/** Tells of a domain without destination once an hour, however much mail comes for it. */

import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import { SCREEN_LIMITS } from '../limits.ts';

const told = new WeakMap<Events, Map<string, number>>();

export function tellNoDestination({ clock, events }: { clock: Clock; events: Events }, domain: string): void {
  let lastTold = told.get(events);
  if (!lastTold) {
    lastTold = new Map();
    told.set(events, lastTold);
  }
  const now = clock.monotonic();
  const last = lastTold.get(domain);
  if (last !== undefined && now - last < SCREEN_LIMITS.repeatEventMs) return;
  if (lastTold.size >= SCREEN_LIMITS.rememberedEvents) lastTold.clear();
  lastTold.set(domain, now);
  events.emit('screen.no-destination', { domain });
}
