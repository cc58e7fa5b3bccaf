/**
 * Reports events to the user of a command that has the data folder itself: nobody reads a log then, and a file that
 * was set aside must be reported.
 */
import type { EventName, Events } from '../world/events.ts';
import { eventLine } from '../world/log-sink.ts';
import type { Output } from './context.ts';

/** The command ends with the same sentence itself. */
const TOLD: readonly EventName[] = ['operation.refused', 'operation.failed', 'store.full', 'store.corrupt'];

export function tellEvents(events: Events, stderr: Output): void {
  events.attach(
    (name, fields) => void stderr.write(`postern: warning: ${eventLine(events.definitions, name, fields)}\n`),
    (name) =>
      !TOLD.includes(name) && (events.definitions[name].level === 'warn' || events.definitions[name].level === 'error'),
  );
}
