/** Bounds of verification, each with its reason. */

/** Lines of one source that an administrator is shown; more are of no use. */
export const DIALOGUE = { lines: 60, characters: 500 } as const;

/** Sources of one node, and of one domain: each may be waited for. */
export const SOURCES = { all: 1000, ofDomain: 10 } as const;

/** A definition's text: a certificate is the longest. */
export const OPTION_CHARACTERS = 20_000;

/** How long a source may take for one step (a connection, a command), and for one question. */
export const STEP_MS = 5_000;
export const QUESTION_MS = 10_000;

/** After so long no further source is asked: a client waits at RCPT (RFC 5321 4.5.3.2.3: 5 minutes). */
export const SEARCH_MS = 20_000;

/**
 * Questions that one source answers at a time: on a connection each for SMTP, over one connection for LDAP, a
 * datagram each for Minger.
 */
export const AT_ONCE = { smtp: 20, 'active-directory': 64, ldap: 64, minger: 128, 'microsoft-365': 16 } as const;

/**
 * Questions that wait for a source, by turns of the sites that ask; beyond it, the newest question of the site with
 * most is answered `try again later`.
 */
export const WAITING = 2_000;

/** After so many failures in a row a source is not asked for a while, and the next is asked at once. */
export const FAILURES_UNTIL_PAUSE = 3;
export const PAUSE_MS = 30_000;

/** Addresses known not to exist, in each of two generations: some 10 MB under a harvest. */
export const NEGATIVE_ENTRIES = 50_000;

/** Verified accounts whose age is cached, in each of two generations. */
export const VERIFIED_ENTRIES = 50_000;

/** Passwords that were right recently, each as 32 bytes, in each of two generations. */
export const PASSWORD_ENTRIES = 10_000;

/** A longer text is no password; each is hashed. */
export const PASSWORD_BYTES = 1_000;

/**
 * Sign-ins asked of sources at a time, for unknown and known clients separately: unknown clients could send any
 * number.
 */
export const SIGN_INS_AT_ONCE = 100;

/** Of one site (IPv4 /24, IPv6 /48), once half of the places of unknown clients are taken. */
export const SIGN_INS_OF_SITE = 10;

/** A due account that could not be verified again is checked again after this time, and stays meanwhile. */
export const VERIFY_AGAIN_MS = 5 * 60_000;

/** Further addresses of one user. */
export const ALIASES_OF_ONE = 100;

/** Entries of one LDAP search: a filter that finds more is wrong. */
export const LDAP_ENTRIES = 10;

/** An answer of Graph to a question about one user. */
export const GRAPH_BYTES = 256 * 1024;

/** Welcome mails an hour: an address harvest over a permissive source must not become a mail bomb. */
export const WELCOMES_PER_HOUR = 200;

/** RFC 5321 4.5.3.1: addresses of a mail server that are tried. */
export const ADDRESSES_TRIED = 3;

/** MX hosts of an untrusted domain that are looked up. */
export const MX_HOSTS = 10;

/** A domain that was refused is not checked again for this time. */
export const DOMAIN_REFUSED_MS = 10 * 60_000;
