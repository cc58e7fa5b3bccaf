/** The current problems of the store, gathered from its events: for `/healthz`. */
import type { EventSink, Events } from '../world/events.ts';

export function watchStore(events: Events): () => readonly string[] {
  const problems = new Map<string, string>();
  const watch: EventSink = (name, fields) => {
    const { part, detail } = fields as { part?: string; detail?: string };
    if (name === 'store.full') problems.set(part!, `${part}: the disk is full: ${detail}`);
    else if (name === 'store.unavailable') problems.set(part!, `${part}: does not take writes: ${detail}`);
    else if (name === 'store.recovered') problems.delete(part!);
  };
  events.attach(watch, (name) => name.startsWith('store.'));
  return () => [...problems.values()];
}
