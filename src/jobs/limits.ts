/** Bounds of jobs, each with its reason. */

/** Letters read from the outbox at once: some are megabytes. */
export const OUTBOX_BATCH = 4;

/** How often the outbox is looked at when nobody said that something is in it. */
export const OUTBOX_EVERY_MS = 60_000;
