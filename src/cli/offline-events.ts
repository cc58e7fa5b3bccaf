/**
 * What happens while a command has the data folder itself, told to who runs it: there is no log then
 * that somebody would read, and a file that was set aside should not go without a word.
 */
import type { EventName, Events } from '../world/events.ts';
import { eventLine } from '../world/log-sink.ts';
import type { Output } from './context.ts';

/** The command ends with the same sentence by itself. */
const TOLD: readonly EventName[] = ['operation.refused', 'operation.failed', 'store.full', 'store.corrupt'];

export function tellEvents(events: Events, stderr: Output): void {
  events.attach(
    (name, fields) => void stderr.write(`postern: warning: ${eventLine(events.definitions, name, fields)}\n`),
    (name) =>
      !TOLD.includes(name) && (events.definitions[name].level === 'warn' || events.definitions[name].level === 'error'),
  );
}
