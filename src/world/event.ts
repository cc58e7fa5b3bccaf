/** How one event is defined; the closed list is in catalogue.ts. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

export interface EventDefinition<F> {
  readonly level: EventLevel;
  /** What it means, for an administrator; becomes the log message and the manual's line. */
  readonly text: string;
  /** A type only: what the event carries. */
  readonly fields: F;
  /** Counts the event under this Prometheus name; labels are fields of small closed sets. */
  readonly metric?: { readonly name: string; readonly labels?: readonly string[] };
  /** Also an audit row (who changed what). */
  readonly audit?: boolean;
  /** Untrusted clients can cause it at any rate: its log lines are bounded by address (log-flood.ts). */
  readonly untrusted?: boolean;
  /** Offered to web hooks. */
  readonly webhook?: boolean;
}

/** `event<{session: string}>()({level, text})`: the fields are a type argument, the rest is inferred. */
export function event<F extends object>() {
  return (definition: Omit<EventDefinition<F>, 'fields'>): EventDefinition<F> => ({
    ...definition,
    fields: undefined as unknown as F,
  });
}
