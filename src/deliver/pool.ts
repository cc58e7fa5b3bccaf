/**
 * Open connections that wait for their next message, by endpoint. The most recently used one goes first, so that the
 * others get old; a connection that is too old, lost or surplus gets a QUIT.
 */
import type { SmtpConnection } from '../wire/client/connection.ts';
import type { Clock, TimerHandle } from '../world/clock.ts';
import { DELIVERY_LIMITS } from './limits.ts';

export interface Pooled {
  readonly connection: SmtpConnection;
  readonly endpoint: string;
  readonly openedAt: number;
  /** Why it is in clear though the peer has offered TLS; absent if we did not fall back. */
  readonly inClearAs?: string;
  /** Transactions so far. */
  sent: number;
  idleSince: number;
}

export interface Pool {
  take(endpoint: string, accept: (pooled: Pooled) => boolean): Pooled | undefined;
  put(pooled: Pooled): void;
  close(): void;
}

const SWEEP_MS = 1000;

export function createPool(clock: Clock, idleMs: () => number): Pool {
  const idle = new Map<string, Pooled[]>();
  let count = 0;
  let timer: TimerHandle | undefined;
  let closed = false;

  const sweep = (): void => {
    timer = undefined;
    const now = clock.monotonic();
    for (const [endpoint, all] of idle) {
      const kept = all.filter((pooled) => {
        const keeps = pooled.connection.isOpen() && pooled.idleSince + idleMs() > now;
        if (!keeps) pooled.connection.quit();
        return keeps;
      });
      count -= all.length - kept.length;
      if (kept.length > 0) idle.set(endpoint, kept);
      else idle.delete(endpoint);
    }
    if (count > 0) timer = clock.after(SWEEP_MS, sweep);
  };

  const mayServeAgain = ({ connection, openedAt, sent }: Pooled, now: number): boolean => {
    const { mailMax } = connection.extensions.limits;
    if (mailMax !== undefined && sent >= mailMax) return false;
    return now - openedAt < DELIVERY_LIMITS.connectionLifeMs;
  };

  return {
    take(endpoint, accept) {
      const all = idle.get(endpoint);
      if (!all) return undefined;
      for (let pooled = all.pop(); pooled; pooled = all.pop()) {
        count--;
        if (pooled.connection.isOpen() && accept(pooled)) return pooled;
        pooled.connection.quit();
      }
      return undefined;
    },
    put(pooled) {
      const { connection, endpoint } = pooled;
      if (!connection.isOpen()) return;
      const now = clock.monotonic();
      if (closed || count >= DELIVERY_LIMITS.idle || !mayServeAgain(pooled, now)) return connection.quit();
      pooled.idleSince = now;
      const all = idle.get(endpoint);
      if (all) all.push(pooled);
      else idle.set(endpoint, [pooled]);
      count++;
      timer ??= clock.after(SWEEP_MS, sweep);
    },
    close() {
      closed = true;
      timer?.cancel();
      for (const all of idle.values()) for (const { connection } of all) connection.quit();
      idle.clear();
      count = 0;
    },
  };
}
