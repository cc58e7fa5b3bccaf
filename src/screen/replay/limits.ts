/** Bounds of the replay, each with its reason. */
export const REPLAY_LIMITS = {
  /** Messages of one replay, the newest: half a minute of a thread that yields to mail. */
  messages: 100_000,
  /** Changes listed of one replay; all are counted. A person reads fewer, and an answer has some megabytes. */
  changesListed: 5_000,
  /** A replay that takes longer is ended: a shorter time range is more useful. */
  deadlineMs: 120_000,
  /** Replays that wait for the one under way: two administrators who try a setting at the same time. */
  waiting: 2,
  /**
   * Its thread has the checks and the settings loaded, some 40 MB; an administrator who tries one setting tries
   * another within a minute.
   */
  idleMs: 60_000,
} as const;
