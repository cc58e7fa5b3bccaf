/**
 * A bounded line in which owners take turns, however many of their items wait: what a stranger puts
 * into it costs others one turn. When it is full, the newest of the owner that has most leaves for one
 * that has less; who has most itself gets no place.
 *
 * Pure bookkeeping, first come first served within an owner. Bounded by `most`.
 */
export interface FairLine<T> {
  readonly length: number;
  /** What has no place in a line of `most`: this item, or the one that left for it. Undefined: there was room. */
  add(owner: string, item: T, most: number): T | undefined;
  /** Whose turn it is, without taking it. */
  peek(): T | undefined;
  next(): T | undefined;
  /** All that wait; none does after it. */
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
    // Else both would only change places.
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
