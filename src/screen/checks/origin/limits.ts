import { DNS_LIMITS } from '../../../world/limits.ts';

/** Bounds of verification, each with its reason. */
export const AUTHENTICATION_LIMITS = {
  /** Real mail has one to four; each may cost a look-up and a public-key operation. */
  signatures: 10,
  /**
   * What the signatures of one message may cost, in verifications with an RSA key of 2048 bits, which take
   * 25 us: ten with 4096 bits, which nobody signs with. Together with the seals under 20 ms on a slow host.
   */
  signaturePrice: 45,
  /** The same for the seals of an ARC chain and its newest signature: fifty sets, which is the most there are, with keys of 2048 bits. */
  arcPrice: 60,
  /** What all seals of a chain cover together: each covers all sets below it, so thirty long sets are as much. */
  arcCoveredBytes: 2 * 1024 * 1024,
  /** Hashing a megabyte takes some milliseconds of the event loop; what is larger is hashed in a thread. */
  bodyOnLoopBytes: 1024 * 1024,
  /** A thread holds some megabytes, and starts within a tenth of a second. */
  bodyThreadIdleMs: 30_000,
  /** Large bodies that are hashed at once, each with a chunk of 64 kB under way. */
  bodiesAtOnce: 1000,
  /** Those that wait for one of these; as many as there may be sessions. */
  bodiesWaiting: 10_000,
  /** Real signatures have less than 2 kB. */
  signatureBytes: 8 * 1024,
  /** Of ARC-Authentication-Results, to find its set by: `i=` comes first (RFC 8617 4.1.1). The field may be long, and all of it is covered by the seals. */
  instanceBytes: 1024,
  /** No honest header has as many, as folded as it may be; each line costs its canonical form. */
  headerLines: 4_000,
  /**
   * Keys and seals of one message, and as many for its tree walks; eight labels for each of ten
   * identifiers is the most that is honest.
   */
  questions: 100,
  /** RFC 7208 4.6.4: at least 20 seconds for one evaluation; one question may have waited five for a place. */
  spfMs: 25_000,
  /** Of one MAIL and RCPT in all, where nothing large is verified. */
  ordinaryQuestions: DNS_LIMITS.ordinaryQuestions,
  /** Of the HELO name's SPF where its result is only written down: a record of a server has one or two terms. */
  heloQuestions: 8,
  /** What clocks of honest hosts may differ by. */
  clockSkewMs: 5 * 60 * 1000,
  /** Names of one PTR answer that are asked for their addresses (RFC 8601 3 names the same danger). */
  ptrNames: 10,
  /** Exchangers of a MAIL domain that are looked at. */
  exchangers: 10,
  /** Received fields read to find the first hop that is not ours. */
  hops: 30,
  /** How long a parsed key or an SPF result is kept at most, however long the TTL: a changed record counts soon. */
  keptSeconds: 300,
  /** Of the results that a chain’s first sealer saw; real ones have less than 2 kB. */
  resultsBytes: 16 * 1024,
  /** Of each kind; some hundred bytes an entry. */
  keptEntries: 5_000,
} as const;
