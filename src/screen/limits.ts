/** Bounds of screening, each with its reason. */
export const SCREEN_LIMITS = {
  /** Resolved settings of this many policy domains are kept; past it they are resolved anew. */
  policyDomains: 10_000,
  /** An event about one domain is told again after this time: one broken domain must not fill the log. */
  repeatEventMs: 3_600_000,
  /** Domains whose last event is remembered. */
  rememberedEvents: 1000,
  /** Refused recipients of one transaction whose evidence is kept for the replay: as many as receive names in whole (REFUSED_WHOLE), some 600 bytes each. */
  refusedEvidence: 16,
  /** Sessions of a listener from one private address and no other, before it is taken for a NAT: no office is that lonely. */
  natSessions: 50,
  /** Names that sessions from this machine itself greet by, before a forwarder is taken to stand behind them: programs say its name, localhost or an address. */
  natNames: 10,
} as const;

/** Addresses of one message that are compared with the account that signed in: mail programs write one, rarely two. */
export const SENDERS_COMPARED = 20;
