/** The bounds of this folder, each with its reason. Input beyond a bound is reported as a problem and not read on. */
export const MIME_LIMITS = {
  /** Ten times what mailing lists with long To fields need; also what the store keeps in memory at once. */
  headerBytes: 256 * 1024,
  /** Sixty-five times RFC 5322 2.1.1: real senders write unfolded To and X- fields of many kilobytes. */
  headerLineBytes: 64 * 1024,
  /** Each field costs a reader an object; the longest relay chains stay below 300. */
  headerFields: 2_000,
  /** As much as a log line, a search index and a list view can use. */
  subjectCharacters: 998,
  /**
   * Of a From, Sender or Reply-To field: a hundred long addresses with names; the rest of a longer one is not read.
   */
  addressFieldCharacters: 16 * 1024,
  /** Of one address field: a good From has one, and each costs look-ups. */
  mailboxes: 100,
  /** Encoded words of an address field that is not read whole: each costs a decoder. */
  looseWords: 100,
  /**
   * Domains of one From field whose policies are looked up: two authors are rare, and each domain costs eight
   * questions.
   */
  authorDomains: 5,
  /** Of a domain before it is mapped: an honest one has few ignored characters, and each costs time. */
  domainCharacters: 1_000,
  /**
   * Forwarded mail in forwarded mail: ten levels is a long thread; each level costs every boundary line a comparison.
   */
  depth: 50,
  /** Digests of hundreds of messages exist; beyond this the tree costs more memory than the message. */
  parts: 5_000,
  /** Of a message converted to 7-bit while it streams: each changed part costs some 300 bytes until it is sent. */
  convertedParts: 200_000,
  /** RFC 2046 5.1.1 allows 70; writers with UUIDs and host names reach 200. A delimiter line is read this far. */
  boundaryBytes: 512,
  /** Parameters of one Content-Type or Content-Disposition, and RFC 2231 pieces of one parameter. */
  parameters: 200,
  /** Fields of one delivery report: a group a recipient, some eight fields each. */
  reportFields: 20_000,
} as const;
