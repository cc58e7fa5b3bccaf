/**
 * Reports a shortage of places: one event when clients are refused, cut or made to wait, with the networks that have
 * most, and one when that has not happened for a while.
 */
import type { Clock } from '../clock.ts';
import type { Events } from '../events.ts';
import { DNS_LIMITS } from '../limits.ts';
import { largest, type Share } from './shares.ts';

export interface ShortageWatch {
  refused(): void;
  cut(): void;
  /** A question waits for a place since the last check. */
  waited(): void;
}

export function createShortageWatch(clock: Clock, events: Events, clients: Share): ShortageWatch {
  let began: { readonly at: number; readonly networks: readonly string[] } | undefined;
  let [refused, cut, lastAt] = [0, 0, 0];

  const seen = (): void => {
    lastAt = clock.monotonic();
    if (began) return;
    began = { at: lastAt, networks: largest(clients, DNS_LIMITS.shortageNetworks) };
    const { running: places, waiting } = clients;
    events.emit('dns.short', { places, waiting, networks: began.networks });
    clock.after(DNS_LIMITS.shortageOverMs, look);
  };

  function look(): void {
    if (!began) return;
    const leftMs = lastAt + DNS_LIMITS.shortageOverMs - clock.monotonic();
    if (leftMs > 0) return void clock.after(leftMs, look);
    events.emit('dns.short-ended', {
      afterMs: Math.round(lastAt - began.at),
      refused,
      cut,
      networks: began.networks,
    });
    began = undefined;
    [refused, cut] = [0, 0];
  }

  return {
    refused() {
      refused += 1;
      seen();
    },
    cut() {
      cut += 1;
      seen();
    },
    waited: seen,
  };
}
