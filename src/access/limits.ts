/** Bounds of the servers through which other programs read our data, each with its reason. */

/** A Minger connection asks a few addresses; a client that is silent for so long has gone. */
export const MINGER_IDLE_MS = 10_000;

/** Minger over TCP: a few mail servers, and some clients that should not connect. */
export const MINGER_CONNECTIONS = 500;

/** From one network: a server like this one asks so many questions at a time, each on its own connection. */
export const MINGER_CONNECTIONS_OF_ONE = 128;

/** Questions of one connection; after them the client connects again, and is counted again. */
export const MINGER_QUESTIONS = 1_000;

/**
 * Questions being answered at a time: each may wait for a source. A question beyond gets no answer, and the client
 * asks again.
 */
export const MINGER_UNDER_WAY = 1_000;

/** Networks whose questions are counted. */
export const MINGER_NETWORKS = 10_000;
