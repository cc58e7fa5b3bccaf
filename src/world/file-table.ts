/**
 * Makes the process's table of open files large before there is work. The kernel doubles it as
 * connections are opened, and whoever opens one then waits 10 to 20 ms for all processors to have
 * noticed: the event loop would stand still at 256, at 512, at 1024 open connections.
 */
import { closeSync, openSync } from 'node:fs';

/** What a small machine has open on a bad day, dead hosts that are waited for included. */
const OPEN_FILES = 4096;

/** Takes some 50 ms. Where the system allows fewer files, as many as it does. */
export function growFileTable(): void {
  const open: number[] = [];
  try {
    while (open.length < OPEN_FILES) open.push(openSync('/dev/null', 'r'));
  } catch {
    // Then there is no larger table to be had.
  }
  for (const file of open) closeSync(file);
}
