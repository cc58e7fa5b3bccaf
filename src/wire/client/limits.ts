/** The bounds of the client conversation, each with its reason. */
export const CLIENT_LIMITS = {
  /**
   * A message up to this size is joined with its commands into one write; copying more would cost more than it saves.
   */
  oneWriteBytes: 256 * 1024,
  /** A message in several pieces is copied into one up to this size: that costs less than passing the pieces on. */
  copiedBytes: 32 * 1024,
  /** The same above so many pieces, as lines that begin with dots create them. */
  piecesInOneWrite: 128,
  /** Bytes of one read: more than the replies to one message, in memory that all connections share. */
  inboxBytes: 16 * 1024,
  /** A peer that takes content slower than this would hold a connection for days; Postfix has the same floor. */
  slowestBytesPerSecond: 500,
  /** How late a time-out may be noticed: one sweep over all connections in place of a timer for each command. */
  sweepMs: 1000,
  /**
   * Between two sweeps: of a hundred hosts a second that never answer, a handful ends in each sweep, which delays
   * nobody.
   */
  sweepPauseMs: 20,
  /** A courtesy: a peer that does not answer QUIT is disconnected. */
  quitMs: 5000,
  /** RFC 5321 4.5.3.1.4, without CRLF: a longer initial response of AUTH waits for a challenge (RFC 4954 4). */
  commandCharacters: 510,
  /** A nonce of SCRAM: large enough that SHA-256 would collide first. */
  nonceBytes: 18,
  /** Mechanisms of a server that are repeated in an error. */
  mechanismsNamed: 10,
  /** The length that an event, the log and a queue's row keep of a failed sign-in: a reply may have 128 lines. */
  reasonCharacters: 1000,
} as const;
