/** Bounds of identity screening, each with its reason. */
export const IDENTITY_LIMITS = {
  /** Of a display name: no screen shows more, and each character costs time. */
  nameCharacters: 200,
  /** Words of a name that are compared: titles, given names and family names together have fewer. */
  nameWords: 12,
  /** Authors of one From field that are checked; a field with more is not rewritten. */
  authors: 20,
  /** Addresses inside one display name. */
  addressesInName: 5,
  /** Similar people reported for one name; more add no information. */
  matches: 3,
  /** Protected people of a node, entered by hand. */
  protectedUsers: 1_000,
  /** Cached answers about domains: the same senders come again; when it is full, it is emptied. */
  rememberedDomains: 5_000,
  /** RFC 1035 2.3.4. */
  domainCharacters: 253,
  /** Recipients of one outgoing message whose domains are counted: more is a mailing. */
  countedRecipients: 20,
} as const;
