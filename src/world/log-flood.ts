/**
 * Bounds the lines of events that an untrusted client can cause at any rate: so many a minute, address and event, and
 * so many for all addresses. The rest is counted, and the count logged with the first event after that minute.
 * Metrics and other sinks receive all events.
 */
import type { EventDefinitions, EventName } from './events.ts';
import { FLOOD_LINES } from './limits.ts';

export interface LogFlood {
  /** Whether the event may be logged. */
  admits(name: EventName, fields: Readonly<Record<string, unknown>>, atMs: number): boolean;
  /** Events that were only counted, of a minute that is over at that time. */
  counted(atMs: number): ReadonlyMap<EventName, number>;
}

const NONE: ReadonlyMap<EventName, number> = new Map();

export function createLogFlood(definitions: EventDefinitions): LogFlood {
  const lines = new Map<string, number>();
  let repeated = new Map<EventName, number>();
  let endsAt = Number.NEGATIVE_INFINITY;

  const begin = (atMs: number): void => {
    lines.clear();
    repeated = new Map();
    endsAt = atMs + FLOOD_LINES.windowMs;
  };
  const linesOf = (key: string): number => lines.get(key) ?? 0;

  return {
    admits(name, fields, atMs) {
      if (!definitions[name].untrusted) return true;
      if (atMs >= endsAt && repeated.size === 0) begin(atMs);
      const one = `${name} ${networkIn(fields)}`;
      if (linesOf(name) >= FLOOD_LINES.all || linesOf(one) >= FLOOD_LINES.ofOne) {
        repeated.set(name, (repeated.get(name) ?? 0) + 1);
        return false;
      }
      // The bound for all bounds the table, too.
      lines.set(name, linesOf(name) + 1);
      lines.set(one, linesOf(one) + 1);
      return true;
    },
    counted(atMs) {
      if (atMs < endsAt || repeated.size === 0) return NONE;
      const over = repeated;
      begin(atMs);
      return over;
    },
  };
}

/** Roughly what one client has: an IPv4 address, or the first half of an IPv6 one. */
function networkIn({ address, client }: Readonly<Record<string, unknown>>): string {
  const text = typeof address === 'string' ? address : typeof client === 'string' ? client : '';
  return text.includes(':') ? text.split(':', 4).join(':') : text;
}
