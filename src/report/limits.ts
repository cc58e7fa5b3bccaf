/** Bounds of reports, each with its reason. */

/** Counted rows that wait for the disk: one second of the busiest node, with another row for every message. */
export const PENDING_ROWS = 5000;
/** How long counts wait: the loss of a kill. */
export const FLUSH_EVERY_MS = 1000;

/** Rows of one report: a sender that varies selectors or addresses fills no more than this. */
export const ROWS_PER_DOMAIN = 10_000;
/** Rows of all reports of one day: some 100 MB. */
export const ROWS_PER_DAY = 200_000;
/**
 * Of them about one site (IPv4 /24, IPv6 /48), once half of a day's are taken: no honest site uses so many names at
 * one node.
 */
export const ROWS_PER_SITE = 5_000;
/** Sites whose number of rows is kept in memory. */
export const REMEMBERED_SITES = 10_000;
/** Domains whose number of rows is kept in memory. */
export const REMEMBERED_DOMAINS = 10_000;
/** Signatures in one row; further ones add nothing for the reader. */
export const RESULTS_PER_ROW = 10;
/** Characters of one value in a row. */
export const ROW_VALUE_CHARACTERS = 255;

/** Addresses of one record that get a report (RFC 9990 demands two). */
export const REPORT_ADDRESSES = 5;
/** Bytes of one report, packed; a larger one loses its rarest rows and mentions it. */
export const REPORT_BYTES = 2 * 1024 * 1024;
/** Reports older than this are of no use to anyone. */
export const REPORT_DUE_DAYS = 3;
/** Domains handled before other work has its turn. */
export const DOMAINS_PER_TURN = 100;

/** How long the answer is cached whether failure reports may be sent. */
export const MAY_REPORT_MS = 10 * 60_000;
/** Failure reports that wait to be written. */
export const WAITING_FAILURES = 1000;
/** Domains whose failure reports are counted in memory; the rest shares one count. */
export const FAILURE_DOMAINS = 10_000;

/** Bytes of a message that may contain a report: those of large providers are a few megabytes. */
export const INCOMING_BYTES = 12 * 1024 * 1024;
/** Bytes of all unpacked reports of one message: ten thousand records, of which half are kept, are 5 MB. */
export const UNPACKED_BYTES = 8 * 1024 * 1024;
/** Ten thousand records that differ only in numbers pack to a fiftieth; blanks to a thousandth. */
export const UNPACKED_RATIO = 150;
/** Allowed whatever the ratio: small reports of one repeated record. */
export const UNPACKED_AT_LEAST = 1024 * 1024;
/** A TLS report has a line a failure, and a hundred kilobytes at most. */
export const JSON_BYTES = 1024 * 1024;
/** RFC 8460 4.4 nests five deep, and has twelve values a failure. */
export const JSON_DEPTH = 16;
export const JSON_VALUES = 50_000;
/** Entries read in a ZIP: a report is one file. */
export const ZIP_ENTRIES = 10;
/** Parts of a message that may be the report. */
export const REPORT_PARTS = 20;
/** A report that takes longer to read is an attack. */
export const READ_DEADLINE_MS = 20_000;
/** Heap of the reading thread: the largest report, as text and as a tree, takes 40. */
export const READER_MEGABYTES = 64;
/** The thread ends after this long without work. */
export const READER_IDLE_MS = 30_000;
/** Reports that wait for the thread, each read from disk when its turn comes; the queue defers further ones. */
export const READING_WAITING = 200;
/** Sources kept of one received report. */
export const INCOMING_SOURCES = 5000;
/** Reports kept of one domain and day: the world has some hundred honest reporters. */
export const INCOMING_PER_DAY = 2000;
/** Bytes kept of an unreadable message, to inspect. */
export const MALFORMED_BYTES = 32 * 1024;
/** Characters of a problem. */
export const PROBLEM_CHARACTERS = 500;
/** Rows of one list. */
export const LIST_ROWS = 1000;
