/** Bounds of `world`, each with its reason. */

export const DNS_LIMITS = {
  /** About an hour's distinct names of a busy node; more only costs memory. */
  cacheEntries: 20_000,
  /** The idle node has 150 MB for everything. */
  cacheBytes: 16 * 1024 * 1024,
  /** Each has a socket of its own, and file descriptors are shared with 10,000 sessions. */
  inFlight: 256,
  /**
   * Of the places, those that untrusted clients cannot use (outbound mail, reports and checks have them), and as many
   * that our own questions leave to untrusted clients: either side keeps a quarter whatever the other does.
   */
  reserved: 64,
  /**
   * Questions that wait for a place, our own and those of clients; beyond, the largest share that waits loses its
   * newest.
   */
  waiting: 1024,
  /** Questions of one session in flight: a PTR record of ten names beside SPF, MX and HELO; others wait. */
  sessionInFlight: 16,
  /** Questions of one session that wait behind those: one message asks at most a hundred, and SPF one at a time. */
  sessionWaiting: 128,
  /** An ordinary MAIL and RCPT: SPF with ten terms, ten names of a PTR record, HELO and MX. Beyond, one at a time. */
  ordinaryQuestions: 40,
  /** A client's question waits so long for a place; a client waits five minutes for a reply (RFC 5321 4.5.3.2). */
  placeMs: 5000,
  /**
   * How long a look-up is left alone: `larger` where its owner has at least two more than the owner that waits,
   * `equal` where it has one more. Nearly all answers come within the first; a cold cache behind slow servers needs
   * the second.
   */
  cutAfterMs: { larger: 500, equal: 2000 },
  /** How often the waiting questions are checked: a look-up that was too young to be cut becomes older. */
  sweepMs: 100,
  /** A shortage is over when no question was refused, cut or made to wait for so long. */
  shortageOverMs: 10_000,
  /** Networks that the event of a shortage names. */
  shortageNetworks: 5,
  /** RFC 1035 names no bound for chains; resolvers stop between 8 and 16. */
  aliasHops: 10,
  /** Tries of one question over all servers; one try a server where there are more servers. */
  tries: 4,
  /** From the first packet to `unknown`: RFC 5321 gives a client five minutes for a command; this is far less. */
  questionMs: 10_000,
  /** The same during a known outage: no message waits as long as the first, and a living server answers sooner. */
  outageQuestionMs: 500,
  /** How long one server is waited for before the next is asked too; a late answer of the first still counts. */
  patienceMs: { first: 1000, least: 300, most: 3000 },
  /**
   * How long a server that refused EDNS is asked without it: it may be fixed, or another may answer at its address.
   */
  withoutEdnsMs: 15 * 60_000,
  /** An off-path forger needs many guesses; after these the question goes over TCP. */
  strayDatagrams: 8,
  /** A day: a change of a record should not be missed for longer (RFC 1035 7.3 leaves it to the resolver). */
  ttlSeconds: 86_400,
  /** RFC 2308 5: one to three hours. */
  denialSeconds: 10_800,
  /**
   * A denial without a SOA: RFC 2308 5 says not to keep it at all, but small name servers send nothing else, so every
   * message of a burst would ask again. A new record is seen at most this much later.
   */
  bareDenialSeconds: 5,
  /** RFC 9520 3.2: at least one second, at most five minutes. */
  failureSeconds: 5,
  /** A TTL of zero still serves the questions of the same burst. */
  leastTtlSeconds: 1,
  /** resolv.conf(5) stops at three; nobody needs ten. */
  servers: 10,
} as const;

export const REREAD_LIMITS = {
  /** How stale a hosts file or resolv.conf may be. */
  everyMs: 5000,
  /** A block list in a hosts file may be large; a larger file is ignored. */
  fileBytes: 4 * 1024 * 1024,
} as const;

/**
 * Log lines that wait for a slow destination: some 20 seconds of a busy node; beyond, lines are counted and left out.
 */
export const LOG_WAITING_BYTES = 16 * 1024 * 1024;

/**
 * Lines a minute of one event that untrusted clients can cause: `ofOne` address, enough for a program that bans
 * addresses by these lines; of `all` (some 50 MB a day for each event), enough to see a botnet.
 */
export const FLOOD_LINES = { windowMs: 60_000, ofOne: 20, all: 200 } as const;

/** Writing log lines. */
export const LOG_WRITE = {
  /** Written together; a failed write costs these lines. */
  batchCharacters: 16 * 1024,
  /** A full pipe usually has a reader, which comes soon. */
  patienceMs: 100,
  /** At the end of the process: a second for a reader that still lives, and no more. */
  lastTries: 100,
  lastPauseMs: 10,
} as const;

/**
 * Combinations of label values of one metric: labels are closed sets, so more is a defect, and must not grow without
 * bound.
 */
export const METRIC_SERIES = 200;

/** Symbolic links behind each other, as the kernel has it (MAXSYMLINKS). */
export const LINKS_FOLLOWED = 40;

/** A disk is nearly full with less than a tenth of it free, or less than hours of full speed need. */
export const NEARLY_FULL = { share: 10, bytes: 5 * 1024 ** 3 } as const;

/**
 * A step that holds the event loop this long is reported: every other connection waits as long. Each parser
 * is meant to need less than half of it on a slow host, for the largest input.
 */
export const LOOP_HELD_MS = 100;

/** How often a timer checks whether it is late: a hold that no step explains matters if it comes again. */
export const LOOP_LOOK_MS = 1_000;

/**
 * At most one event in this time; the next one carries the number of those left out, so the log stays readable under
 * attack.
 */
export const LOOP_REPORT_MS = 1_000;
