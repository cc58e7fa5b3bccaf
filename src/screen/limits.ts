/** Bounds of screening, each with its reason. */
export const SCREEN_LIMITS = {
  /** Resolved settings are kept for this many policy domains; beyond it they are resolved anew. */
  policyDomains: 10_000,
  /** An event about one domain is repeated after this time: one broken domain must not fill the log. */
  repeatEventMs: 3_600_000,
  /** Domains whose last event is remembered. */
  rememberedEvents: 1000,
  /** Refused recipients of one transaction whose evidence is kept for the replay: as many as receive names in whole (REFUSED_WHOLE), some 600 bytes each. */
  refusedEvidence: 16,
  /**
   * Sessions of a listener that all came from one private address, before it is taken for a NAT: no office has a
   * single client.
   */
  natSessions: 50,
  /**
   * Names in HELO of sessions from this machine, before a forwarder is assumed: programs use its name, localhost or
   * an address.
   */
  natNames: 10,
} as const;

/** Addresses of one message that are compared with the authenticated account: mail programs write one, rarely two. */
export const SENDERS_COMPARED = 20;
