/** Bounds of the store, each with its reason. */

/** Units of one durable transaction: enough to share an fsync among all sessions, few enough that a failure hits a fraction of a second's work. */
export const GROUP_UNITS = 512;

/** Parameter bytes of one transaction: bounds the copy that travels to the writer thread. */
export const GROUP_BYTES = 8 * 1024 * 1024;

/** Units that may wait for the writer: beyond it the disk is hopelessly slow, and callers get `store.unavailable` rather than wait. */
export const WAITING_UNITS = 50_000;

/** Prepared statements kept by a connection: the code has some hundred texts; lists of varying length make more. */
export const CACHED_STATEMENTS = 500;

/**
 * Content up to here is in memory without a word: what 10,000 sessions may have begun fits a large
 * machine, and the rest is nobody's.
 */
export const ROW_CONTENT_BYTES = 64 * 1024;

/**
 * Content up to here stays in memory, while there is room, until its first delivery ended: what tells
 * of the message makes it durable, in place of a file and its folder, two syncs, and a deletion. The
 * architecture allows no larger buffer. The slowest peer takes it in 9 minutes, within the time-out of
 * the final reply.
 */
export const KEPT_CONTENT_BYTES = 256 * 1024;

/** All content kept so: beyond it messages go through files, as large ones do. */
export const KEPT_BYTES = 64 * 1024 * 1024;

/** Memory that messages lie in one after the other: four hold the largest that is kept, and the smallest that is wastes little of its two. */
export const SLAB_BYTES = 64 * 1024;

/** A first chunk of this size is of a message that is no small one. */
export const SLAB_FROM_BYTES = 32 * 1024;

/** Slabs that wait to be used again: what full speed needs, 16 MB; until the node is idle. */
export const SPARE_SLABS = 256;

/** From so many chunks on, small ones of a message are gathered in slabs: an object for each byte would be a hundred times its size. */
export const GATHERED_FROM_PIECES = 32;

/** Files made in one folder before another has its turn: a second's worth at full speed shares its syncs, and the folders stay small. */
export const FOLDER_TURN_FILES = 1000;

/** Bytes a spool holds before it asks its writer to wait: one session must not fill the memory faster than the disk takes it. */
export const SPOOL_BUFFERED_BYTES = 256 * 1024;

/** One read of a content file: few calls, and small beside 1,000 deliveries at once. */
export const CONTENT_READ_BYTES = 64 * 1024;

/** Pages of the log before the writer copies them to the database: 8 MB, a copy each 0.1 s at full speed, small enough to be replayed at once after a crash. */
export const CHECKPOINT_PAGES = 2000;

/** Page cache of a connection, in kB: holds the hot end of every table and index. */
export const CACHE_KB = 8 * 1024;

/** The same while the schema changes: nothing else needs memory before the node has started. */
export const MIGRATION_CACHE_KB = 128 * 1024;

/** Of the file, read without a call for each page meanwhile: a fifth of the time of a large queue. SQLite maps no more. */
export const MIGRATION_MAPPED_BYTES = 2 ** 31 - 65_536;

/** Pages that one step of a copy takes, 4 MB. */
export const COPY_STEP_PAGES = 1000;

/** A statement waits this long for another process (backup, sqlite3) to let go of the database. */
export const BUSY_TIMEOUT_MS = 2000;

/** A database up to here is checked whole after a crash (about 2 s); beyond it, only its header and schema are, since a start must stay below 10 s. */
export const QUICK_CHECK_BYTES = 512 * 1024 * 1024;

/** After a failed fsync the writer tries to come back: soon, then ever more slowly. */
export const REOPEN_FIRST_MS = 10;
export const REOPEN_LAST_MS = 5000;

/** The scan thread retires after this long without work: a worker costs 9 MB. */
export const SCAN_IDLE_MS = 30_000;

/** Long reads that wait for the thread: nobody at a console waits behind so many. */
export const SCANS_WAITING = 1000;

/** Rows of one scan: what is longer must be asked for in pages. */
export const SCAN_ROWS = 100_000;

/** Sliding windows and cached values kept in memory: about 20 MB at worst. */
export const COUNTER_KEYS = 100_000;

/** Parts a sliding window is counted in: the sum is exact to a tenth of the window. */
export const COUNTER_SLICES = 10;

/** How a message begins, for the log where it is refused: its subject is in it. */
export const HEAD_BYTES = 8 * 1024;

/** Names of blobs asked about in one go while sweeping. */
export const SWEEP_BATCH = 500;

/** Young memory of a thread that holds rows for a moment: with the default it grows by 10 MB and never shrinks. */
export const THREAD_YOUNG_MB = 2;

/** A file of the ledger: half a second at full speed, so that little waits for the oldest of its messages, and read at once after a crash. */
export const LEDGER_SEGMENT_BYTES = 16 * 1024 * 1024;

/** A new file of the ledger grows by so much at a time: a thousandth of the syncs write down a size. */
export const LEDGER_STEP_BYTES = 1024 * 1024;

/** Files of the ledger that wait to be used again: what full speed needs; more is given back to the disk. */
export const LEDGER_SPARE_SEGMENTS = 4;

/** Records and bytes of one write: enough to share a sync among all sessions, few enough that a failure hits little. */
export const LEDGER_GROUP_RECORDS = 512;
export const LEDGER_GROUP_BYTES = 4 * 1024 * 1024;

/** Records that may wait for the disk, as for the database's writer. */
export const LEDGER_WAITING = 50_000;

/** Nodes that may share a database: as many as the bits for a node in a message id. */
export const NODES = 64;

/** How often a node says that it lives, and finds out that another start took its number. */
export const NODE_SEEN_EVERY_MS = 30_000;
