/**
 * Gives back memory when the node has become quiet: V8 keeps what a start or a burst took until it has reason to
 * collect, and an idle node gives it none for hours. Collects once for each quiet time, never while there is work,
 * since a collection stops the event loop for some tens of milliseconds.
 */
import type { Clock } from './clock.ts';

/** Quiet at two checks in a row: between 10 and 20 s. */
const LOOK_MS = 10_000;

export interface IdleMemoryOptions {
  readonly clock: Clock;
  /** Whether there is, or just was, work: open sessions, deliveries under way. */
  isBusy(): boolean;
  /** Frees what rooms keep for the next burst. */
  letGo(): void;
  /** Node's own, present with --expose-gc; without it nothing is done. */
  readonly collect: (() => void) | undefined;
}

/** Returns a function that ends it. */
export function giveBackWhenIdle({ clock, isBusy, letGo, collect }: IdleMemoryOptions): () => void {
  if (!collect) return () => {};
  let quietLooks = 0;
  let isGivenBack = false;
  const look = (): void => {
    timer = clock.after(LOOK_MS, look);
    if (isBusy()) {
      quietLooks = 0;
      isGivenBack = false;
    } else if (!isGivenBack && ++quietLooks === 2) {
      quietLooks = 0;
      isGivenBack = true;
      letGo();
      collect();
    }
  };
  let timer = clock.after(LOOK_MS, look);
  return () => timer.cancel();
}

/** Compacts too, which a plain collection does not; only that returns pages to the system. */
export function collector(): (() => void) | undefined {
  const { gc } = globalThis as { gc?: (options: object) => void };
  return gc && (() => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }));
}
