/** Bounds of operations and their interfaces, each with its reason. */

/** A path of a Unix socket, by the kernel: 108 bytes with the final zero, 104 on macOS. */
export const SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/** One request or answer of the control socket: a settings file to import, or a page of the longest list. */
export const CONTROL_LINE_BYTES = 40 * 1024 * 1024;

/** An administrator, a few scripts, a monitoring. */
export const CONTROL_CLIENTS = 64;

/** A client that is silent for so long has gone. */
export const CONTROL_IDLE_MS = 60_000;

/**
 * Domains checked in one request: as many as are checked at a time, since each may wait 20 seconds for name servers.
 */
export const CHECKED_DOMAINS = 8;

/** Rows of one answer. */
export const ANSWER_ROWS = 100_000;

/** Rows of one page of the queue, one less than it reads at a time. */
export const LISTED_ROWS = 999;

/**
 * Acts in the background at a time, including those that wait for their turn: as many as a few administrators start
 * in a day.
 */
export const BACKGROUND_RUNS = 32;

/** Runs that are kept after their end: half a megabyte, usually. */
export const KEPT_RUNS = 1000;

/** The size of a run's answer that is kept; counts and names are short. */
export const OUTCOME_CHARACTERS = 20_000;

/** Audit rows moved to the log at once. */
export const AUDIT_BATCH = 500;

/** The size of an input that an audit row keeps: an import may be megabytes. */
export const AUDITED_INPUT_CHARACTERS = 4000;

/** How often an act is prepared anew as what it was checked against had changed when it was written: twice is rare already. */
export const PREPARED_AGAIN = 5;
