/** Bounds of jobs, each with its reason. */

/** Letters read from the outbox at once: some are megabytes. */
export const OUTBOX_BATCH = 4;

/** How often the outbox is checked without being woken. */
export const OUTBOX_EVERY_MS = 60_000;

/** How often the DNS is asked for records of new DKIM keys: a published one is used within ten minutes. */
export const DKIM_ROTATION_EVERY_MS = 600_000;

/** The first check after a start: it must not slow the start. */
export const DKIM_FIRST_MS = 5_000;

/** How often a decision about a domain's keys is repeated if another writer changed them: twice is rare already. */
export const KEY_DECISIONS = 5;

/** After creating a domain's keys, pause so many times as long: an RSA key takes a core for tenths of a second. */
export const KEY_MAKING_PAUSE = 9;

/** Many servers send at midnight UTC: reports leave within this time after it. */
export const REPORT_SPREAD_MS = 2 * 60 * 60_000;

/** A node that has just started, or may not report yet, checks again within this. */
export const REPORT_RETRY_MS = 60 * 60_000;

/** How often old received reports are deleted. */
export const REPORT_FORGET_MS = 6 * 60 * 60_000;

/** A flood at full speed fills a hundredth of a small disk in this time. */
export const WATCH_DISK_EVERY_MS = 60_000;

/** Content left by a crash is small and harmless; searching for it reads the names of all content files. */
export const SWEEP_EVERY_MS = 6 * 60 * 60_000;
/** `smtp.sessionTimeoutMs` can be 7 days at most: no session is older than a day more. */
export const SWEEP_AGE_MS = 8 * 24 * 60 * 60_000;

/** How long a run of a job is one node's without renewal: others take over after it, if the node died in the run. */
export const JOB_LEASE_MS = 60_000;
export const JOB_RENEW_EVERY_MS = 15_000;
