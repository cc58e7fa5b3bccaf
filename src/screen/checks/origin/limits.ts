import { DNS_LIMITS } from '../../../world/limits.ts';

/** Bounds of verification, each with its reason. */
export const AUTHENTICATION_LIMITS = {
  /** Real mail has one to four; each may cost a look-up and a public-key operation. */
  signatures: 10,
  /**
   * What the signatures of one message may cost, in verifications with an RSA key of 2048 bits, which take 25 us: ten
   * with 4096 bits, which nobody uses. Together with the seals under 20 ms on a slow host.
   */
  signaturePrice: 45,
  /** The same for the seals of an ARC chain and its newest signature: fifty sets, which is the most there are, with keys of 2048 bits. */
  arcPrice: 60,
  /**
   * The bytes that all seals of a chain cover together: each covers all sets below it, so thirty long sets are as
   * much.
   */
  arcCoveredBytes: 2 * 1024 * 1024,
  /** Hashing a megabyte takes some milliseconds of the event loop; a larger body is hashed in a thread. */
  bodyOnLoopBytes: 1024 * 1024,
  /** A thread holds some megabytes, and starts within a tenth of a second. */
  bodyThreadIdleMs: 30_000,
  /** Large bodies that are hashed at once, each with a chunk of 64 kB under way. */
  bodiesAtOnce: 1000,
  /** Bodies that wait for one of these; as many as there may be sessions. */
  bodiesWaiting: 10_000,
  /** Real signatures have less than 2 kB. */
  signatureBytes: 8 * 1024,
  /**
   * Of ARC-Authentication-Results, to find its set: `i=` comes first (RFC 8617 4.1.1). The field may be long, and the
   * seals cover all of it.
   */
  instanceBytes: 1024,
  /** No honest header has as many, however folded; each line costs its canonical form. */
  headerLines: 4_000,
  /**
   * For keys and seals of one message, and as many for its tree walks; an honest message needs at most eight labels
   * for each of ten identifiers.
   */
  questions: 100,
  /** RFC 7208 4.6.4: at least 20 seconds for one evaluation; one question may have waited five for a place. */
  spfMs: 25_000,
  /** Of one MAIL and RCPT together, where nothing large is verified. */
  ordinaryQuestions: DNS_LIMITS.ordinaryQuestions,
  /** For SPF of the HELO name if its result is only recorded: a record of a server has one or two terms. */
  heloQuestions: 8,
  /** The difference between clocks of honest hosts. */
  clockSkewMs: 5 * 60 * 1000,
  /** Names of one PTR answer whose addresses are looked up (RFC 8601 3 names the same danger). */
  ptrNames: 10,
  /** Exchangers of a MAIL domain that are looked up. */
  exchangers: 10,
  /** Received fields read to find the first hop that is not ours. */
  hops: 30,
  /** How long a parsed key or an SPF result is cached at most, whatever the TTL: a changed record counts soon. */
  keptSeconds: 300,
  /** Of the results recorded by a chain’s first sealer; real ones have less than 2 kB. */
  resultsBytes: 16 * 1024,
  /** Of each kind; some hundred bytes an entry. */
  keptEntries: 5_000,
} as const;
