/**
 * The bounded line in front of the threads of a worker client. A client may bring its own order; the
 * default is first come, first served, and a full line refuses the newest.
 */

/** One piece of work that waits for a thread, or is served by one. */
export interface Ticket<Asker> {
  readonly asker: Asker;
}

export interface Refused<T> {
  readonly ticket: T;
  /** How many may wait. */
  readonly most: number;
}

export interface Line<Asker> {
  /** Who has no place: this ticket, or one that left for it. Undefined: there was room. */
  add(ticket: Ticket<Asker>): Refused<Ticket<Asker>> | undefined;
  /** Takes the ticket whose turn it is, as long as `served` are with the threads; undefined: nobody's. */
  next(served: ReadonlySet<Ticket<Asker>>): Ticket<Asker> | undefined;
  /** All that wait; none does after it. */
  clear(): readonly Ticket<Asker>[];
}

export function createPlainLine<Asker>(most: number): Line<Asker> {
  let waiting: Ticket<Asker>[] = [];
  return {
    add(ticket) {
      if (waiting.length >= most) return { ticket, most };
      waiting.push(ticket);
      return undefined;
    },
    next: () => waiting.shift(),
    clear() {
      const all = waiting;
      waiting = [];
      return all;
    },
  };
}
