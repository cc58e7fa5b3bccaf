/** Bounds of the self-check, each with its reason. */
export const POSTURE_LIMITS = {
  /** Domains checked at a time: each asks some thirty questions, and mail has the resolver's slots too. */
  domainsAtOnce: 8,
  /** Exchangers of a domain that are looked at, as delivery looks at them. */
  exchangers: 20,
  /** Names of one address: more belong to a shared host, and one that fits is enough. */
  ptrNames: 10,
  /** Our own addresses: a machine with more has them for web sites. */
  addresses: 16,
  /** Reporting addresses of a DMARC record. */
  reportAddresses: 10,
  /** Block lists asked of each address. */
  dnsLists: 50,
  /** Questions of one SPF evaluation that counts on beyond the limits of RFC 7208, to say by how much. */
  spfQuestions: 400,
  spfTerms: 40,
  spfMs: 15_000,
  /** One test: a node that is told to stop is gone within 30 seconds, and finishes first what it was asked. */
  testMs: 20_000,
  /** Risks of one kind that are named one by one; the rest are counted. */
  named: 20,
  /** What is repeated of a stranger's record. */
  shownCharacters: 500,
  /** A character-string of a TXT record (RFC 1035 3.3). */
  stringBytes: 255,
} as const;
