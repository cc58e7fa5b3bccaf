/** Facts that are valid for a while, about a bounded number of keys: the oldest are dropped. */
import type { Clock } from '../world/clock.ts';
import { createRecent } from '../world/recent.ts';

export interface Expiring<T> {
  get(key: string): T | undefined;
  /** When the fact expires (monotonic), for a key that has one. */
  until(key: string): number | undefined;
  set(key: string, value: T, forMs: number): void;
  delete(key: string): void;
  clear(): void;
}

export function createExpiring<T>(clock: Clock, limit: number): Expiring<T> {
  const facts = createRecent<{ readonly value: T; readonly until: number }>(limit);
  /** `peek`: a read makes no fact younger. */
  const live = (key: string): { readonly value: T; readonly until: number } | undefined => {
    const fact = facts.peek(key);
    if (fact && fact.until <= clock.monotonic()) {
      facts.delete(key);
      return undefined;
    }
    return fact;
  };
  return {
    get: (key) => live(key)?.value,
    until: (key) => live(key)?.until,
    set: (key, value, forMs) => void facts.set(key, { value, until: clock.monotonic() + forMs }),
    delete: (key) => void facts.delete(key),
    clear: () => facts.clear(),
  };
}
