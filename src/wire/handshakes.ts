/**
 * TLS handshakes take turns: one costs the event loop a millisecond for a signature, but a client that replays a
 * recorded TLS greeting and leaves spends nearly nothing.
 *
 * A few in each tick begin at once, for any client. Beyond them a site (IPv4 /24, IPv6 /48) has its part of a tick
 * and then waits, in a line in which sites take turns, so that no flood costs other sites more than that. Waiting is
 * bounded: a client that finds no place in the line is refused.
 */
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Clock } from '../world/clock.ts';
import { createFairLine } from './fair-line.ts';
import { HANDSHAKE_TICK_MS, HANDSHAKES } from './limits.ts';
import { siteOf } from './network.ts';

export interface Handshakes {
  /** True once it may begin, usually at once; false: it `isGone`, or there is no place to wait. */
  turn(address: string, isGone: () => boolean): MaybePromise<boolean>;
}

interface Waiting {
  readonly site: string;
  readonly isGone: () => boolean;
  readonly settle: (mayBegin: boolean) => void;
}

export function createHandshakes(clock: Clock): Handshakes {
  const line = createFairLine<Waiting>();
  /** By site: its clients go first come, first served. */
  const waiting = new Map<string, number>();
  const begunBySite = new Map<string, number>();
  let begun = 0;
  let tick = Number.NEGATIVE_INFINITY;
  let isWatched = false;

  const countWaiting = (site: string, by: 1 | -1): void => {
    const count = (waiting.get(site) ?? 0) + by;
    if (count > 0) waiting.set(site, count);
    else waiting.delete(site);
  };

  const isOpen = (site: string): boolean => {
    const now = Math.floor(clock.monotonic() / HANDSHAKE_TICK_MS);
    if (now !== tick) {
      tick = now;
      begun = 0;
      begunBySite.clear();
    }
    if (begun < HANDSHAKES.free) return true;
    return begun < HANDSHAKES.most && (begunBySite.get(site) ?? 0) < HANDSHAKES.site;
  };

  const begin = (site: string): void => {
    begun++;
    begunBySite.set(site, (begunBySite.get(site) ?? 0) + 1);
  };

  const leave = ({ site, settle }: Waiting, mayBegin: boolean): void => {
    countWaiting(site, -1);
    settle(mayBegin);
  };

  const serve = (): void => {
    isWatched = false;
    // The first in the line has had no more turns than the others: if it must wait, all must.
    for (let first = line.peek(); first; first = line.peek()) {
      // A client that left takes no turn from its neighbours.
      const isGone = first.isGone();
      if (!isGone && !isOpen(first.site)) break;
      line.next();
      if (!isGone) begin(first.site);
      leave(first, !isGone);
    }
    watch();
  };

  const watch = (): void => {
    if (line.length === 0 || isWatched) return;
    isWatched = true;
    clock.after(HANDSHAKE_TICK_MS, serve);
  };

  return {
    turn(address, isGone) {
      const site = siteOf(address);
      if (!waiting.has(site) && isOpen(site)) {
        begin(site);
        return true;
      }
      return new Promise((settle) => {
        const newcomer = { site, isGone, settle };
        countWaiting(site, 1);
        const left = line.add(site, newcomer, HANDSHAKES.waiting);
        if (left) leave(left, false);
        watch();
      });
    },
  };
}
