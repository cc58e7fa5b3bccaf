/** Bounds of the operator's rules about senders, each with its reason. */

/** Entries of the allow and block lists together: all are kept in memory, some 300 bytes each. */
export const LIST_ENTRIES = 200_000;

/** Patterns of one owner and list whose domain is itself a pattern: each is compared with every sender. */
export const OPEN_PATTERNS = 50;

/** Patterns of one owner and list within one domain (`sales*@example.com`). */
export const DOMAIN_PATTERNS = 100;

/** Pairs of IP shielding: no organisation has more devices that cannot sign in. */
export const SHIELD_PAIRS = 10_000;

/** Pairs whose domain is a pattern: each is compared with every sender. */
export const SHIELD_PATTERNS = 50;

/**
 * The shortest prefix of a pair: a wider one covers other organisations, and everybody in it may relay. 10.0.0.0/8
 * and fd00::/8 are the widest private networks.
 */
export const SHIELD_PREFIX = 8;

/** The longest value: an address of 64 bytes, an @ and 255 of a domain. */
export const VALUE_CHARACTERS = 320;

export const COMMENT_CHARACTERS = 200;

/** A list that is imported in one go, in one unit of the database. */
export const IMPORT_ENTRIES = 10_000;
export const IMPORT_BYTES = 4 * 1024 * 1024;

/** Cached answers whether a client's network is shared: for clients that are servers of ours. */
export const SHARED_ANSWERS = 1000;

/** Markers, and certificates, of one mail server: those of its tenants. */
export const SERVER_CONDITIONS = 20;

/** Extra networks that one mail server sends from. */
export const SERVER_NETWORKS = 100;
