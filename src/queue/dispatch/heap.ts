/** Things by time: the earliest first. Entries are never moved: an outdated one is recognised and dropped when it is taken. */
export interface Timed<T> {
  readonly at: number;
  readonly item: T;
}

export interface TimeHeap<T> {
  readonly size: number;
  push(at: number, item: T): void;
  peek(): Timed<T> | undefined;
  pop(): Timed<T> | undefined;
}

export function createTimeHeap<T>(): TimeHeap<T> {
  const entries: Timed<T>[] = [];
  return {
    get size() {
      return entries.length;
    },
    push(at, item) {
      let i = entries.length;
      const entry = { at, item };
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (entries[parent]!.at <= at) break;
        entries[i] = entries[parent]!;
        i = parent;
      }
      entries[i] = entry;
    },
    peek: () => entries[0],
    pop() {
      const first = entries[0];
      const last = entries.pop();
      if (entries.length > 0 && last) sink(entries, last);
      return first;
    },
  };
}

function sink<T>(entries: Timed<T>[], entry: Timed<T>): void {
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= entries.length) break;
    if (child + 1 < entries.length && entries[child + 1]!.at < entries[child]!.at) child++;
    if (entries[child]!.at >= entry.at) break;
    entries[i] = entries[child]!;
    i = child;
  }
  entries[i] = entry;
}
