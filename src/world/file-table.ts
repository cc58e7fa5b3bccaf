/**
 * Makes the process's table of open files large before there is work. The kernel doubles the table as connections are
 * opened, and the thread that opens one then waits 10 to 20 ms until all processors have noticed: the event loop
 * would stand still at 256, at 512, at 1024 open connections.
 */
import { closeSync, openSync } from 'node:fs';

/** What a small machine has open on a bad day, including connections to dead hosts that have not timed out. */
const OPEN_FILES = 4096;

/** Takes some 50 ms. Where the system allows fewer files, it opens as many as allowed. */
export function growFileTable(): void {
  const open: number[] = [];
  try {
    while (open.length < OPEN_FILES) open.push(openSync('/dev/null', 'r'));
  } catch {
    // The limit of the system is reached: the table is as large as it can be.
  }
  for (const file of open) closeSync(file);
}
