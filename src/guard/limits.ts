/** Bounds of the guard, each with its reason. */

/** Accounts checked in one turn of the event loop: each check is a read of some 20 us. */
export const RECHECKED_AT_ONCE = 50;

/** How long an ended session may finish the work in hand; 1 s is promised for the whole end. */
export const FINISH_MS = 500;
