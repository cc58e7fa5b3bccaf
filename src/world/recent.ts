/**
 * A bounded map of the entries that were used most recently; a hit costs the same at any size. (A Map whose hot key
 * is deleted and set again costs microseconds with some thousand keys: V8 rebuilds the whole table each time its
 * holes have filled it.)
 *
 * `get` and `set` make an entry the youngest, `peek` does not. An entry that expires stores its own end, as time is
 * injected.
 */
import { LRUCache } from 'lru-cache';

export type Recent<V extends {}> = Pick<LRUCache<string, V>, 'get' | 'peek' | 'set' | 'delete' | 'clear'> & {
  readonly size: number;
};

export function createRecent<V extends {}>(entries: number): Recent<V> {
  // Each entry has size 1: with `max` the cache would allocate memory for all entries at once.
  return new LRUCache<string, V>({ maxSize: entries, sizeCalculation: () => 1 });
}
