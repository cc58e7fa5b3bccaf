/** Bounds of what every protocol server shares, each with its reason. */

/** One timer a listener looks at all its connections this often: time-outs are coarse, and cost nothing a line. */
export const SWEEP_MS = 1_000;

/** Input kept while the server is at work for the connection: one full TCP window of pipelined commands. */
export const INPUT_BYTES_WHILE_BUSY = 65_536;

/** Replies a peer has not read yet before we stop obeying it: some thousand replies, pipelined. */
export const OUTPUT_BYTES = 262_144;

/** A line that never ends is junk, not a command: the peer is told and left. */
export const ENDLESS_LINE_BYTES = 65_536;

/** How long a proxy may take for its header; proxies send it with the connection. */
export const PROXY_HEADER_MS = 10_000;

/** `proxy = optional`: a client that stays silent this long is no proxy, and is greeted. */
export const PROXY_SILENCE_MS = 50;

/** A handshake takes three round trips and, on small machines, a slow signature. */
export const TLS_HANDSHAKE_MS = 30_000;

/** After our last words the peer has this long to read them before the connection is cut. */
export const LAST_WORDS_MS = 5_000;

/** Names of a client's certificate that are looked at: a server needs one. */
export const CERTIFICATE_NAMES = 100;

/** One read: what a client's kernel sends of a large message while the loop is elsewhere. */
export const INBOX_BYTES = 65_536;

/** From this part of all places on, a site (IPv4 /24, IPv6 /48) and a provider (/16, /32) have no more than theirs. */
export const CROWDED_PART = 1 / 2;
/** So the half that is left then takes eight further sites, or two further providers. */
export const SITE_PART = 1 / 16;
export const PROVIDER_PART = 1 / 4;

/** Refused connections that are left to read why: beyond it they are cut, since each holds a descriptor for LAST_WORDS_MS. */
export const REFUSED_CONNECTIONS = 1_000;

/** Turns of TLS handshakes are given out this often: a wait that nobody notices, after a handshake's three round trips. */
export const HANDSHAKE_TICK_MS = 100;

/**
 * In one tick. `free`: begin at once, whoever asks; as each takes about a millisecond, an eighth of the event
 * loop. `site`: beyond them, sixty a second for each, more than honest servers open. `most`: of all together,
 * about half of the loop. `waiting`: eight seconds of these, well within the client's patience.
 */
export const HANDSHAKES = { free: 12, site: 6, most: 60, waiting: 5_000 } as const;
