/** Results derived from DNS answers, cached as long as these are valid: bounded, the oldest go first. */
import type { Clock } from '../../../world/clock.ts';
import { createRecent } from '../../../world/recent.ts';
import type { Resolver } from '../../../world/resolver.ts';
import { AUTHENTICATION_LIMITS } from './limits.ts';

export interface Kept<T> {
  get(key: string, clock: Clock): T | undefined;
  put(key: string, value: T, seconds: number, clock: Clock): void;
}

/** One cache a resolver: another resolver may give other answers. */
export function keptPerResolver<T>(): (resolver: Resolver) => Kept<T> {
  const stores = new WeakMap<Resolver, Kept<T>>();
  return (resolver) => {
    const source = resolver.source ?? resolver;
    let store = stores.get(source);
    if (!store) {
      store = createKept();
      stores.set(source, store);
    }
    return store;
  };
}

function createKept<T>(): Kept<T> {
  const entries = createRecent<{ readonly value: T; readonly until: number }>(AUTHENTICATION_LIMITS.keptEntries);
  return {
    get(key, clock) {
      // `peek`: a read makes no entry younger.
      const entry = entries.peek(key);
      if (!entry) return undefined;
      if (clock.monotonic() < entry.until) return entry.value;
      entries.delete(key);
      return undefined;
    },
    put(key, value, seconds, clock) {
      if (seconds > 0) entries.set(key, { value, until: clock.monotonic() + seconds * 1000 });
    },
  };
}
