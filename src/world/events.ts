/**
 * Events: one closed list is log line, metric, audit row and webhook at once.
 *
 * Every event is defined once, in `events/<room>.ts`, with its level, its sentence and the typed
 * fields it carries; rooms emit, `main` attaches sinks. No address or domain is a metric label:
 * `metric.labels` names fields with a small closed set of values.
 */
import { deliveryEvents } from './events/deliver.ts';
import { dnsEvents } from './events/dns.ts';
import { jobEvents } from './events/jobs.ts';
import { journalEvents } from './events/journal.ts';
import { nodeEvents } from './events/node.ts';
import { operationEvents } from './events/operations.ts';
import { queueEvents } from './events/queue.ts';
import { receiveEvents } from './events/receive.ts';
import { reportEvents } from './events/report.ts';
import { screenEvents } from './events/screen.ts';
import { signInEvents } from './events/sign-in.ts';
import { signingEvents } from './events/signing.ts';
import { storeEvents } from './events/store.ts';
import { tokenEvents } from './events/tokens.ts';
import { verificationEvents } from './events/verification.ts';
import { wireEvents } from './events/wire.ts';

export const EVENTS = {
  ...nodeEvents,
  ...wireEvents,
  ...receiveEvents,
  ...screenEvents,
  ...queueEvents,
  ...deliveryEvents,
  ...storeEvents,
  ...jobEvents,
  ...reportEvents,
  ...journalEvents,
  ...dnsEvents,
  ...operationEvents,
  ...signingEvents,
  ...verificationEvents,
  ...tokenEvents,
  ...signInEvents,
} as const;

export type EventName = keyof typeof EVENTS;
export type EventFields<N extends EventName> = (typeof EVENTS)[N] extends { readonly fields: infer F } ? F : never;

export type EventSink = (name: EventName, fields: Readonly<Record<string, unknown>>, atMs: number) => void;

export interface Events {
  emit<N extends EventName>(name: N, fields: EventFields<N>): void;
  /** `concerns`: which events the sink is told of, asked once for each; default all. Returns what detaches it. */
  attach(sink: EventSink, concerns?: (name: EventName) => boolean): () => void;
}

/** A sink that throws is a defect of that sink, and must not end the session that emitted. */
export function createEvents(now: () => number, onSinkError: (error: unknown) => void): Events {
  const attached = new Map<EventSink, (name: EventName) => boolean>();
  /** By event, from its first time on: most events concern nobody but a counter. */
  const concerned = new Map<EventName, readonly EventSink[]>();

  const sinksOf = (name: EventName): readonly EventSink[] => {
    const sinks = [...attached.keys()].filter((sink) => attached.get(sink)!(name));
    concerned.set(name, sinks);
    return sinks;
  };
  return {
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
