/** The bounds of the journal, each with its reason. */

/** Records that go to the thread in one post, some hundreds: the post costs 20 microseconds, shared by these. */
export const BATCH_BYTES = 512 * 1024;

/** Up to here a batch is copied into memory of its own size: at a low rate nothing larger waits. */
export const SMALL_BATCH_BYTES = 64 * 1024;

/** Batches whose memory is kept to be used again: about what is under way at 3,000 messages a second. */
export const FREE_BATCHES = 4;

/**
 * The longest a record waits for such company; with COMMIT_DELAY_MS well below the second in which a search
 * finds it. Most messages are delivered in this time: what came of them is written with them.
 */
export const POST_DELAY_MS = 200;

/** The longest a written record waits for its commit: four fsyncs a second do not disturb those of the queue. */
export const COMMIT_DELAY_MS = 250;

/** Memory for what is not yet on disk: a minute of 1,000 messages a second with full dialogues. */
export const WAITING_BYTES = 64 * 1024 * 1024;

/** The same, for many small records. */
export const WAITING_RECORDS = 200_000;

/** A loss goes on while it lasts, but is told once in this time. */
export const LOST_NOTICE_MS = 5_000;

/** Shutdown and flush wait this long for the thread; a full disk must not keep a node from stopping. */
export const FLUSH_DEADLINE_MS = 10_000;

/** Pause before the database is tried again after a failure; doubles up to the second. */
export const RETRY_FIRST_MS = 500;
export const RETRY_LAST_MS = 10_000;

/** Details compressed together: more than ten times smaller than alone, and quick to unpack for one message. */
export const BLOCK_LINES = 256;
export const BLOCK_BYTES = 256 * 1024;

/**
 * Evidence and findings of one message, findings at most half: five times what default screening writes
 * of a message with one recipient; a thousand who are treated alike take hardly more than one. Beyond it they are
 * cut, and marked as cut.
 */
export const EVIDENCE_BYTES = 16 * 1024;

/** One message's dialogue; a longer one is cut in the middle. */
export const DIALOGUE_BYTES = 64 * 1024;

/** Messages that a search scans because they are not indexed yet: some 20 ms; as a group they are indexed cheaply. */
export const TAIL_MESSAGES = 4_000;

/** Memory for their terms, some 200 bytes each; where long lists of recipients need more, their rows are read again. */
export const TAIL_BYTES = 2 * 1024 * 1024;

/** Messages in one table of search terms: retention drops it whole, a prefix search merges at most these at once. */
export const PARTITION_MESSAGES = 500_000;

/** Terms of one message: a list with thousands of recipients is found by the first of them. */
export const MESSAGE_TERMS = 2_000;

/** Words of a subject that are indexed, and the length of any term: beyond is padding or an attack. */
export const SUBJECT_WORDS = 48;
export const TERM_LENGTH = 320;

/** Rows deleted in one step by retention, so that ingest waits only milliseconds. */
export const EXPIRE_ROWS = 500;

/** How often retention looks for expired rows; while it finds some it goes on every EXPIRE_PAUSE_MS. */
export const EXPIRE_INTERVAL_MS = 10 * 60_000;
export const EXPIRE_PAUSE_MS = 100;

/** Sessions that ended without a message, by network: so many rows in a window, then one row with a count. */
export const IDLE_SESSION_ROWS = 60;
export const IDLE_SESSION_WINDOW_MS = 10 * 60_000;

/** Networks counted apart in one window; all further ones share a count. */
export const IDLE_SESSION_NETWORKS = 10_000;

/**
 * Refused transactions of a network in a window that have rows of their own: an honest server whose users
 * were all deleted is explained; beyond it one counted row says the same. And their characters, those of
 * sessions without a message among them: some thirty transactions that are as long as they can be.
 */
export const REFUSED_ROWS = 300;
export const REFUSED_BYTES = 2 * 1024 * 1024;

/**
 * What was said around accepted messages, free of that budget: a greeting with STARTTLS, sign-in and some
 * mistakes. Beyond it a dialogue has a row's budget, or only this much of it is kept.
 */
export const FREE_DIALOGUE_CHARACTERS = 4 * 1024;

/** The same for the networks around it (IPv4 /24, IPv6 /48), in shares of one. */
export const REFUSED_SITE_SHARE = 8;

/** The same for all: some 10 GB a day before compression, where thousands of networks refuse to stop. */
export const REFUSED_BYTES_ALL = 64 * 1024 * 1024;

/** Networks that have a budget in one window, and a count of their own; all further ones share one. */
export const REFUSED_NETWORKS = 20_000;

/** Different replies that a counted row tells apart. */
export const COUNTED_REPLIES = 16;

/** The bound of the log where nobody set one: ten million messages with room for what is refused. */
export const DEFAULT_LOG_BYTES = 10 * 1024 ** 3;

/** Of a file that must not grow: the rest is room for minutes of new rows. */
export const NEARLY_FULL_SHARE = 0.95;

/** Refused transactions younger than this stay even if the log is too large: they are the ones that are asked about. Six windows: 384 MB at worst. */
export const TRIM_KEEP_MS = 60 * 60_000;

/** Rows that a step looks at to find those that may go: some milliseconds. */
export const TRIM_SCAN_ROWS = 5_000;

/** A row is written into its block within this time, failures of the disk apart. */
export const TRIM_BLOCK_DELAY_MS = 60_000;

/** A search that takes longer helps nobody at the console, and keeps a core from the mail. */
export const SEARCH_DEADLINE_MS = 20_000;

/** Searches waiting for the reader thread. */
export const SEARCHES_WAITING = 32;

/** The reader thread ends after so long without a question: it holds some 15 MB. */
export const READER_IDLE_MS = 30_000;

/** Blocks whose lines a walk through the log holds: those being written side by side, accepted and refused. */
export const OPEN_BLOCKS = 4;

/** Rows of one page. */
export const PAGE_ROWS = 1_000;

/** Rows that a listing of sessions looks through before it hands back what it has, with a cursor. */
export const SESSION_SCAN_ROWS = 500_000;

/** Messages of one session shown with it. */
export const SESSION_MESSAGES = 200;

/** Memory for pages of log.db in the writing thread, and in the reading one while it lives. */
export const PAGE_CACHE_KIB = 8 * 1024;

/** The write-ahead log is folded back after so many pages (16 MB): pages written often are copied once. */
export const CHECKPOINT_PAGES = 4_000;
