/**
 * A map of the entries that were used most recently, bounded; a hit costs the same however many there are.
 * (A Map whose hot key is deleted and set again costs microseconds with some thousand keys: V8 builds the
 * whole table anew each time the holes have filled it.)
 *
 * `get` and `set` make an entry the youngest, `peek` does not. An entry that expires knows its own end, as
 * time is injected.
 */
import { LRUCache } from 'lru-cache';

export type Recent<V extends {}> = Pick<LRUCache<string, V>, 'get' | 'peek' | 'set' | 'delete' | 'clear'> & {
  readonly size: number;
};

export function createRecent<V extends {}>(entries: number): Recent<V> {
  // Each of size 1: with `max` it would take the memory of all entries before there is one.
  return new LRUCache<string, V>({ maxSize: entries, sizeCalculation: () => 1 });
}
