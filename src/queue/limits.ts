/** Bounds of the queue, each with its reason. */

/** How long a claim is ours without renewal; long enough for a slow peer to survive one lost renewal. */
export const LEASE_MS = 120_000;
export const RENEW_EVERY_MS = 30_000;

/** Claims that wait in memory for the dispatcher's room: a burst must not go through the database twice. */
export const BUFFERED_CLAIMS = 2000;

/** Content bytes of those claims: memory is bounded whatever the messages' size. */
export const BUFFERED_BYTES = 32 * 1024 * 1024;

/** A commit waits this long for a place where mail flows, as Postfix's in_flow_delay: to go through the database costs more than a client's patience. */
export const PLACE_WAIT_MS = 1000;
/** Commits that wait so: each is a session, with content in memory. */
export const PLACES_AWAITED = 1000;

/** Of one destination: one slow peer must not crowd out the others. */
export const BUFFERED_PER_DESTINATION = 200;

/** The same once the buffer is half full. */
export const BUFFERED_PER_DESTINATION_CROWDED = 4;

/** Claims made from the database in one go for one destination, before the next has its turn. */
export const CLAIMS_PER_TURN = 50;

/** Destinations being claimed for at the same time: enough to share one commit. */
export const CLAIMING_DESTINATIONS = 16;

/** Due rows looked at to find those claims; recipients of one message are neighbours, and more of them than this travel in several claims. */
export const CANDIDATE_ROWS = 100;

/** Destinations with waiting rows that the scheduler remembers (about 200 bytes each); the sweep finds the others as places get free. */
export const KNOWN_DESTINATIONS = 50_000;

/** Destinations looked up in one turn of the loop while sweeping: half a millisecond. */
export const SWEEP_DESTINATIONS = 100;

/** Destinations without room that a general wake-up passes over before it gives up until the next. */
export const WAKE_MISSES = 64;

/** Back-off of a destination after the first failure, doubled with each further one. */
export const BACKOFF_FIRST_MS = 30_000;
/** The cap: dead destinations are probed this often, whatever their rows' own schedule says. */
export const BACKOFF_LAST_MS = 30 * 60_000;

/** Slow start: a destination that nothing is known of gets so many claims at a time (as Postfix does), one after a failure, and one more with each success. */
export const FIRST_WINDOW = 5;
/** From here on its window bounds nothing: no more connections can be set for one destination. */
export const LAST_WINDOW = 1000;
/** Idle destinations whose window is remembered (about 100 bytes each); one that fell out starts again. */
export const REMEMBERED_WINDOWS = 10_000;

/** How often rows are looked for that have expired or whose sender shall be warned. */
export const TIMERS_EVERY_MS = 60_000;

/** Rows of one such look; more follow in the next turn. */
export const TIMER_ROWS = 200;

/** Holds end at their time; in between the clock is asked so often, as somebody may set it. */
export const HOLD_LOOK_MS = 10 * 60_000;
/** The next try to end holds that the database did not take. */
export const HOLD_AGAIN_MS = 1000;

/** How long an act that holds an author's mail waits for tries that were stopped to be written: the disk's time, and some. */
export const AUTHOR_HOLD_WAIT_MS = 10_000;

/** Splices of one variant: each large attachment is one or a few, and a file is opened for each. */
export const SPLICES = 1_000;
/** Bytes that one splice puts in from its row: as much as the store keeps in memory of a content. Beyond it is a file. */
export const SPLICE_ROW_BYTES = 256 * 1024;
/** The same of all splices of a variant: a claim has them in memory, beside its content. */
export const VARIANT_ROW_BYTES = 1024 * 1024;

/** Settled rows that wait in memory for the journal; further ones are read again from the table. */
export const AWAITING_JOURNAL = 50_000;

/** Settled rows purged in one unit. */
export const PURGED_PER_UNIT = 500;

/** Rows read in one step of the recovery at start. */
export const RECOVERY_ROWS = 1000;

/** Bytes of a header that a report gives back: RFC 3461 6.2 wants it whole, hostile ones are megabytes. */
export const RETURNED_HEADER_BYTES = 64 * 1024;

/** Recipients of a report that are written at once: 1 ms, and some 30 times as long before the code is compiled. */
export const NOTICE_RECIPIENTS = 50;

/** Bytes of a message that a report gives back with RET=FULL; of larger ones, the header (RFC 3461 4.3 allows it). */
export const RETURNED_FULL_BYTES = 1024 * 1024;

/** Characters of a remote reply that are kept. */
export const REPLY_CHARACTERS = 1000;

/** Earlier hosts of a try that are kept, the last ones, and characters of what each said: every recipient's row has them. */
export const EARLIER_HOSTS = 10;
export const EARLIER_REPLY_CHARACTERS = 200;

/** Rows of one page of a list. */
export const LIST_ROWS = 1000;

/** Held rows looked at for one page, whatever it finds: some ten milliseconds. */
export const HELD_LOOKED_AT = 10_000;

/** Leases renewed in one unit; the next unit takes the next ones. */
export const RENEWED_ROWS = 500;

/** Messages that one act changes at the same time: their units share commits, and mail in between waits for no more than these. */
export const ACT_MESSAGES = 50;
/** Rows that one act changes in one unit: 10 ms of the writer's time, which new mail waits for. */
export const ACT_UNIT_ROWS = 200;

/** What is not delivered by then goes from the ledger into the database: the ledger's files are freed in order, so the slowest message keeps all behind it. */
export const SPILL_AFTER_MS = 10_000;
/** All that may pass once the ledger is long. */
export const SPILL_SOONER_MS = 1000;
/** How often that is looked at, and how much of it is spilled at once: not so much that the loop stands still. */
export const SPILL_LOOK_MS = 100;
export const SPILLED_AT_ONCE = 200;
/** The next look after one that the database did not take. */
export const SPILL_AGAIN_MS = 1000;
/** Deferrals of messages on the inline way go into the database together, so often at the most: the ledger has them meanwhile. */
export const DEFERRALS_EVERY_MS = 250;
export const INLINE_SEGMENTS = 16;

/** Messages on the inline way, those included that wait for the journal: some seconds at full speed. */
export const INLINE_MESSAGES = 20_000;
/** Content bytes of those that are in memory: what the dispatcher has in hand and the buffer together seldom reach. */
export const INLINE_BYTES = 128 * 1024 * 1024;
/** Files of the ledger from which on messages go into the database: 1 GB of disk, however long one message keeps all behind it. */
export const INLINE_SEGMENTS_MOST = 64;

/** Bytes of the ledger that go into the database in one unit at start. */
export const RECOVERED_BYTES = 4 * 1024 * 1024;
