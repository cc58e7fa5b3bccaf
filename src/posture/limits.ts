/** Bounds of the self-check, each with its reason. */
export const POSTURE_LIMITS = {
  /** Domains checked at a time: each asks some thirty questions, and mail uses the resolver's places too. */
  domainsAtOnce: 8,
  /** Exchangers of a domain that are looked up, as in delivery. */
  exchangers: 20,
  /** Names of one address: more belong to a shared host, and one that matches is enough. */
  ptrNames: 10,
  /** Our own addresses: a machine with more has them for web sites. */
  addresses: 16,
  /** Reporting addresses of a DMARC record. */
  reportAddresses: 10,
  /** Block lists asked of each address. */
  dnsLists: 50,
  /** Questions of one SPF evaluation beyond the limits of RFC 7208, to report by how much it exceeds them. */
  spfQuestions: 400,
  spfTerms: 40,
  spfMs: 15_000,
  /** One test: a stopping node must exit within 30 seconds, and finishes the current check first. */
  testMs: 20_000,
  /** Risks of one kind that are named one by one; the rest is counted. */
  named: 20,
  /** The length of a foreign record that is repeated. */
  shownCharacters: 500,
  /** A character-string of a TXT record (RFC 1035 3.3). */
  stringBytes: 255,
} as const;
