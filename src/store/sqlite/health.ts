/**
 * Whether a part of the store takes writes: tells the change once, not each failure, and the recovery.
 */
import type { Clock } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';

export type Part = 'database' | 'content' | 'ledger';

export interface Health {
  failed(kind: 'full' | 'unavailable', detail: string): void;
  succeeded(): void;
}

export function createHealth(part: Part, events: Events, clock: Clock): Health {
  let state: 'ok' | 'full' | 'unavailable' = 'ok';
  let sinceMs = 0;
  return {
    failed(kind, detail) {
      if (state === kind) return;
      if (state === 'ok') sinceMs = clock.monotonic();
      state = kind;
      if (kind === 'full') events.emit('store.full', { part, detail });
      else events.emit('store.unavailable', { part, detail });
    },
    succeeded() {
      if (state === 'ok') return;
      state = 'ok';
      events.emit('store.recovered', { part, afterMs: Math.round(clock.monotonic() - sinceMs) });
    },
  };
}
