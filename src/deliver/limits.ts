/** The bounds of delivery, each with its reason. */
export const DELIVERY_LIMITS = {
  /** Mail exchangers of one domain that are looked at: the largest providers have 10. */
  exchangers: 20,
  /** Addresses tried for one message; the rest waits for the next try (Postfix tries 5). */
  candidates: 10,
  /** RFC 5321 4.5.3.1.8: what every server must take in one transaction. */
  recipientsPerTransaction: 100,
  /** Claims in hand of destinations not known to take mail, most of which wait for DNS or a connection; as many again of the others. */
  opening: 2_000,
  /** How long a connection may take while half of those places are taken: a live host answers in a second. */
  connectCrowdedMs: 5_000,
  /** Connections that wait for the next message, over all destinations. */
  idle: 200,
  /** After this time a connection is not used again, so that mail returns to the preferred host. */
  connectionLifeMs: 300_000,
  /** Destinations whose route is remembered, and whether they take mail; one that fell out is asked for anew. */
  destinations: 10_000,
  /** Hosts remembered as failing, as failing in TLS, as not mastering an extension; each kind. */
  peers: 20_000,
  /** How long a route is used without being asked for again; its DNS answers may be cached longer. */
  routeMs: 5_000,
  /** How long this machine's own addresses are taken to be what they were. */
  ownAddressesMs: 5_000,
  /** How long a peer is spared an extension that it offers and does not master. */
  distrustMs: 3_600_000,
  /** Content that is read for its structure, or changed, at once: a part may be 8 bytes, and others wait for each piece. */
  pieceBytes: 16 * 1024,
  /** A spliced body that is put together in memory: as much of one as the store keeps there. */
  splicedInMemoryBytes: 256 * 1024,
  /** Signatures kept for a message's other recipients and next tries, 1 to 2 kB each; beyond them they are made again. */
  signatures: 5_000,
} as const;
