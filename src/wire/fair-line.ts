/**
 * A bounded line in which owners take turns, however many of their items wait: a flood of one owner costs the others
 * one turn. When the line is full, the newest item of the owner with most leaves for an owner that has fewer; the
 * owner that has most gets no place itself.
 *
 * Pure bookkeeping, first come first served within an owner. Bounded by `most`.
 */
export interface FairLine<T> {
  readonly length: number;
  /** The item that has no place in a line of `most`: this one, or one that left for it. Undefined: there was room. */
  add(owner: string, item: T, most: number): T | undefined;
  /** The next item, without taking it. */
  peek(): T | undefined;
  next(): T | undefined;
  /** Returns and removes all items. */
  clear(): T[];
}

export function createFairLine<T>(): FairLine<T> {
  /** The first owner is next; none is empty. */
  const owners = new Map<string, T[]>();
  let length = 0;

  const largest = (): readonly [string, T[]] | undefined => {
    let found: readonly [string, T[]] | undefined;
    for (const entry of owners) if (!found || entry[1].length > found[1].length) found = entry;
    return found;
  };

  const makeRoom = (owner: string): T | undefined => {
    const [name, items] = largest() ?? ['', []];
    const own = owners.get(owner)?.length ?? 0;
    // Otherwise the two owners would only change places.
    if (items.length <= own + 1) return undefined;
    const left = items.pop();
    if (items.length === 0) owners.delete(name);
    length--;
    return left;
  };

  return {
    get length() {
      return length;
    },
    add(owner, item, most) {
      const left = length >= most ? makeRoom(owner) : undefined;
      if (length >= most) return item;
      const own = owners.get(owner);
      if (own) own.push(item);
      else owners.set(owner, [item]);
      length++;
      return left;
    },
    peek: () => owners.values().next().value?.[0],
    next() {
      const first = owners.entries().next().value;
      if (!first) return undefined;
      const [owner, items] = first;
      const item = items.shift();
      length--;
      owners.delete(owner);
      if (items.length > 0) owners.set(owner, items);
      return item;
    },
    clear() {
      const all = [...owners.values()].flat();
      owners.clear();
      length = 0;
      return all;
    },
  };
}
