/** Bounds of identity screening, each with its reason. */
export const IDENTITY_LIMITS = {
  /** Of a display name: no screen shows more, and each character costs. */
  nameCharacters: 200,
  /** Words of a name that are compared: titles, given names and family names together have fewer. */
  nameWords: 12,
  /** Authors of one From field that are looked at; a field with more is not rewritten. */
  authors: 20,
  /** Addresses inside one display name. */
  addressesInName: 5,
  /** People whom one name is said to be like; more say nothing new. */
  matches: 3,
  /** Protected people of a node, entered by hand. */
  protectedUsers: 1_000,
  /** Answers about domains that are kept: the same senders come again; past it all are found anew. */
  rememberedDomains: 5_000,
  /** RFC 1035 2.3.4. */
  domainCharacters: 253,
  /** Recipients of one outgoing message whose domains are counted: more is a mailing. */
  countedRecipients: 20,
} as const;
