/** Bounds of receiving that no administrator needs to change, each with its reason. */

/** One transaction's dialogue in the journal: a thousand recipients in short form. */
export const DIALOGUE_CHARACTERS = 65_536;

/** One line of it: enough for a long address and its problem. */
export const DIALOGUE_LINE_CHARACTERS = 1024;

/** The same for a command that carries no mail, as NOOP with 500 characters: enough to identify it. */
export const DIALOGUE_IDLE_LINE_CHARACTERS = 128;

/** RFC 5321 4.5.3.1.2: the longest domain, and some room for invented names. */
export const HELO_CHARACTERS = 255;

/** Sessions that ended before MAIL get a row each, up to this number per network and window. */
export const UNFINISHED_SESSIONS_PER_NETWORK = 20;
export const UNFINISHED_WINDOW_MS = 60_000;

/** Networks counted in one window; beyond it an attack is one of many networks, and only counted. */
export const UNFINISHED_NETWORKS = 10_000;

/** One line of an AUTH exchange: base64 of the longest token of protocol/sasl (RFC 4954 4 asks for 12,288). */
export const AUTH_LINE_BYTES = 24_576;

/** Failed sign-ins are counted by network over this time. */
export const AUTH_FAILURE_WINDOW_MS = 600_000;

/** An IPv6 /48 may fail as often as this many of its networks: a household or an office has a few. */
export const AUTH_SITE_NETWORKS = 4;

/** Networks counted; beyond it the oldest are forgotten. */
export const AUTH_NETWORKS = 10_000;

/** Clients known to have delivered mail, which are greeted without a delay. */
export const KNOWN_CLIENTS = 10_000;

/**
 * Recipients that are repeated, too many or deferred in one session, in multiples of the most that a message may
 * have: senders of long lists are patient.
 */
export const FRUITLESS_LISTS = 10;

/**
 * Refused recipients of one transaction that its journal row contains in full, with reply and findings: as many as an
 * honest list has of departed users. The characters are the size of ten findings.
 */
export const REFUSED_WHOLE = { recipients: 16, characters: 8 * 1024 } as const;

/**
 * Up to this number further ones are named with the code of their reply, so that a search finds them; beyond,
 * counted: a guesser must not fill the log.
 */
export const REFUSED_SHORTLY = { recipients: 100, characters: 16 * 1024 } as const;

/** Different replies that the count of the rest distinguishes. */
export const REFUSED_REPLIES = 16;
