/** Bounds of what every protocol server shares, each with its reason. */

/** One timer a listener checks all its connections this often: time-outs are coarse, and cost nothing a line. */
export const SWEEP_MS = 1_000;

/** Input kept while the server is at work for the connection: one full TCP window of pipelined commands. */
export const INPUT_BYTES_WHILE_BUSY = 65_536;

/** Replies that a peer has not read before we stop executing its commands: some thousand replies, pipelined. */
export const OUTPUT_BYTES = 262_144;

/** A line that never ends is no command: the peer gets a reply and is disconnected. */
export const ENDLESS_LINE_BYTES = 65_536;

/** How long a proxy may take for its header; proxies send it with the connection. */
export const PROXY_HEADER_MS = 10_000;

/** `proxy = optional`: a client that stays silent this long is no proxy, and is greeted. */
export const PROXY_SILENCE_MS = 50;

/** A handshake takes three round trips and, on small machines, a slow signature. */
export const TLS_HANDSHAKE_MS = 30_000;

/** After the last reply the peer has this long to read it before the connection is cut. */
export const LAST_WORDS_MS = 5_000;

/** Names of a client's certificate that are read: a server needs one. */
export const CERTIFICATE_NAMES = 100;

/** One read: what a client's kernel sends of a large message while the loop is elsewhere. */
export const INBOX_BYTES = 65_536;

/**
 * Once this part of all places is taken, a site (IPv4 /24, IPv6 /48) and a provider (/16, /32) have at most their own
 * part.
 */
export const CROWDED_PART = 1 / 2;
/** So the free half has room for eight further sites, or two further providers. */
export const SITE_PART = 1 / 16;
export const PROVIDER_PART = 1 / 4;

/**
 * Refused connections that may still read the reply: beyond it they are cut, since each holds a descriptor for
 * LAST_WORDS_MS.
 */
export const REFUSED_CONNECTIONS = 1_000;

/**
 * Turns of TLS handshakes are given out this often: nobody notices such a wait after a handshake's three round trips.
 */
export const HANDSHAKE_TICK_MS = 100;

/**
 * In one tick. `free`: begin at once, for any client; as each takes about a millisecond, an eighth of the event loop.
 * `site`: beyond them, sixty a second for each site, more than honest servers open. `most`: of all together, about
 * half of the loop. `waiting`: eight seconds of these, well within the client's patience.
 */
export const HANDSHAKES = { free: 12, site: 6, most: 60, waiting: 5_000 } as const;
