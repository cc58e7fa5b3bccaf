/** The bounds of delivery, each with its reason. */
export const DELIVERY_LIMITS = {
  /** Mail exchangers of one domain that are looked up: the largest providers have 10. */
  exchangers: 20,
  /** Addresses tried for one message; the rest waits for the next try (Postfix tries 5). */
  candidates: 10,
  /** RFC 5321 4.5.3.1.8: the number that every server must take in one transaction. */
  recipientsPerTransaction: 100,
  /**
   * Claims in hand for destinations not known to take mail, most of which wait for DNS or a connection; as many again
   * for the others.
   */
  opening: 2_000,
  /** How long a connection may take once half of those places are taken: a live host answers in a second. */
  connectCrowdedMs: 5_000,
  /** Connections that wait for the next message, over all destinations. */
  idle: 200,
  /** After this time a connection is not used again, so that mail returns to the preferred host. */
  connectionLifeMs: 300_000,
  /** Destinations whose route, and whether they take mail, is cached; a dropped one is looked up anew. */
  destinations: 10_000,
  /** Hosts cached as failing, as failing in TLS, as having a faulty extension; each kind. */
  peers: 20_000,
  /** How long a route is used before it is looked up again; its DNS answers may be cached longer. */
  routeMs: 5_000,
  /** How long the list of this machine's own addresses is cached. */
  ownAddressesMs: 5_000,
  /** How long an extension is not used with a peer that implements it incorrectly. */
  distrustMs: 3_600_000,
  /**
   * Content that is read for its structure, or changed, at once: a part may be 8 bytes, and other work waits for each
   * piece.
   */
  pieceBytes: 16 * 1024,
  /** A spliced body that is assembled in memory: the same size as the store keeps in memory. */
  splicedInMemoryBytes: 256 * 1024,
  /**
   * Signatures cached for a message's other recipients and next attempts, 1 to 2 kB each; dropped ones are computed
   * again.
   */
  signatures: 5_000,
} as const;
