/** Bounds of the guard, each with its reason. */

/** Accounts asked about in one turn of the event loop: each question is a read of some 20 us. */
export const RECHECKED_AT_ONCE = 50;

/** How long a session that was ended may finish the work in hand; 1 s is promised for all of it. */
export const FINISH_MS = 500;
