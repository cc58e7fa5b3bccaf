/** Time, injected: no room calls Date.now or setTimeout itself, so tests own every delay. */
export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number;
  /** Runs `fn` once after `delayMs`. `keepAlive: false` (the default) lets the process exit meanwhile. */
  after(delayMs: number, fn: () => void, options?: { keepAlive?: boolean }): TimerHandle;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout fires at once above 2^31-1 ms; a longer delay is waited for in steps. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fn, options) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : fn()), stepMs);
      if (!options?.keepAlive) timer.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = systemClock.after(
        delayMs,
        () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
        { keepAlive: true },
      );
      signal?.addEventListener('abort', abort, { once: true });
    });
  },
};
