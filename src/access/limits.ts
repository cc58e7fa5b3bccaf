/** Bounds of the servers by which others read what is here, each with its reason. */

/** A Minger connection asks a few addresses; whoever is silent for so long has gone. */
export const MINGER_IDLE_MS = 10_000;

/** Minger over TCP: a few mail servers, and those who should not be here. */
export const MINGER_CONNECTIONS = 500;

/** From one network: a server like this one asks as many questions at a time, by a connection each. */
export const MINGER_CONNECTIONS_OF_ONE = 128;

/** Questions of one connection: then it comes again, and is counted again. */
export const MINGER_QUESTIONS = 1_000;

/** Questions being answered at a time: each may wait for a source. Who comes too much gets no answer, and asks again. */
export const MINGER_UNDER_WAY = 1_000;

/** Networks whose questions are counted. */
export const MINGER_NETWORKS = 10_000;
