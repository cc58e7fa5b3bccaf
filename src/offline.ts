/**
 * The operations of a data folder whose node does not run, as a command performs them in its stead. Loads every room
 * that a node has, so a command that can ask a running node must not load it.
 */
import { EVENTS } from './catalogue.ts';
import { tellEvents } from './cli/offline-events.ts';
import type { OpenOffline } from './cli/session.ts';
import { openCore } from './core.ts';
import { systemClock } from './world/clock.ts';
import { createEvents } from './world/events.ts';

/** Errors: those of opening the folder (`store.locked`, `store.schema-newer`, ...). */
export const openOffline: OpenOffline = async (config) => {
  const events = createEvents(EVENTS, systemClock.now, () => {});
  tellEvents(events, process.stderr);
  const core = await openCore(config, events);
  return { executeUnknown: core.operations.executeUnknown, close: core.close };
};
