/**
 * The bounded line in front of the threads of a worker client. A client may provide its own order; the default is
 * first come, first served, and a full line refuses the newest.
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
  /** The ticket that has no place: this one, or one that left for it. Undefined: there was room. */
  add(ticket: Ticket<Asker>): Refused<Ticket<Asker>> | undefined;
  /** Takes the next ticket, while `served` are with the threads; undefined: none may go. */
  next(served: ReadonlySet<Ticket<Asker>>): Ticket<Asker> | undefined;
  /** Returns and removes all tickets. */
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
