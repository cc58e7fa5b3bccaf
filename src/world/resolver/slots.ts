/** A bounded number of places, and a bounded number of those who wait for one, served in order. */
export interface Slots {
  /** False at once when too many wait already; else true when there is a place, which `free` gives back. */
  take(): Promise<boolean>;
  free(): void;
}

export function createSlots(places: number, mostWaiting: number): Slots {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return {
    take() {
      if (taken < places) {
        taken += 1;
        return Promise.resolve(true);
      }
      if (waiting.length >= mostWaiting) return Promise.resolve(false);
      return new Promise((resolve) => waiting.push(() => resolve(true)));
    },
    free() {
      const next = waiting.shift();
      if (next) next();
      else taken -= 1;
    },
  };
}
