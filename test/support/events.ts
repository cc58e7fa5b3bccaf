/** Records events, so that a test can check what an operator would have seen. */
import { EVENTS } from '../../src/catalogue.ts';
import { createEvents, type EventFields, type EventName, type Events } from '../../src/world/events.ts';

export interface RecordedEvents extends Events {
  readonly seen: readonly { readonly name: EventName; readonly fields: Readonly<Record<string, unknown>> }[];
  count(name: EventName): number;
  last<N extends EventName>(name: N): EventFields<N> | undefined;
}

export function recordedEvents(): RecordedEvents {
  const seen: { name: EventName; fields: Readonly<Record<string, unknown>> }[] = [];
  const events = createEvents(
    EVENTS,
    () => 0,
    (error) => {
      throw error;
    },
  );
  events.attach((name, fields) => void seen.push({ name, fields }));
  return {
    ...events,
    seen,
    count: (name) => seen.filter((event) => event.name === name).length,
    last: <N extends EventName>(name: N) =>
      seen.findLast((event) => event.name === name)?.fields as EventFields<N> | undefined,
  };
}
