/**
 * Events: one closed list is log line, metric, audit row and webhook at once.
 *
 * Every event is defined once, in `events.ts` of the room that emits it, with its level, its sentence and
 * the typed fields it carries; `catalogue.ts` has all of them. Rooms emit, `main` attaches sinks. No address
 * or domain is a metric label: `metric.labels` names fields with a small closed set of values.
 */
import type { EventDefinition } from './event.ts';

/** By name: each room adds its own (declaration merging), so that a name that no room defines is an error. */
// biome-ignore lint/suspicious/noEmptyInterface: rooms fill it.
export interface EventList {}

export type EventName = keyof EventList;
export type EventFields<N extends EventName> = EventList[N] extends { readonly fields: infer F } ? F : never;
export type EventDefinitions = Readonly<Record<EventName, EventDefinition<object>>>;

export type EventSink = (name: EventName, fields: Readonly<Record<string, unknown>>, atMs: number) => void;

export interface Events {
  readonly definitions: EventDefinitions;
  emit<N extends EventName>(name: N, fields: EventFields<N>): void;
  /**
   * `concerns`: which events the sink receives, asked once for each event; default all. Returns a function that
   * detaches the sink.
   */
  attach(sink: EventSink, concerns?: (name: EventName) => boolean): () => void;
}

/** A sink that throws is a defect of that sink, and must not end the session that emitted the event. */
export function createEvents(
  definitions: EventDefinitions,
  now: () => number,
  onSinkError: (error: unknown) => void,
): Events {
  const attached = new Map<EventSink, (name: EventName) => boolean>();
  /** By event, filled at its first emit: most events go to the counter only. */
  const concerned = new Map<EventName, readonly EventSink[]>();

  const sinksOf = (name: EventName): readonly EventSink[] => {
    const sinks = [...attached.keys()].filter((sink) => attached.get(sink)!(name));
    concerned.set(name, sinks);
    return sinks;
  };
  return {
    definitions,
    emit(name, fields) {
      const sinks = concerned.get(name) ?? sinksOf(name);
      if (sinks.length === 0) return;
      const at = now();
      for (const sink of sinks) {
        try {
          sink(name, fields as Readonly<Record<string, unknown>>, at);
        } catch (error) {
          onSinkError(error);
        }
      }
    },
    attach(sink, concerns = () => true) {
      attached.set(sink, concerns);
      concerned.clear();
      return () => {
        attached.delete(sink);
        concerned.clear();
      };
    },
  };
}
