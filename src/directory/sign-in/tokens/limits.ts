/** Bounds of the cost of tokens and their issuers, each with its reason. */

/** Those of Entra with 200 groups have some 8,000. */
export const TOKEN_CHARACTERS = 12_288;

/** Issuers of one domain: one, and a second while it moves. */
export const ISSUERS_OF_ONE = 10;

/** Issuers whose keys are kept at a time: one or two a domain of a large host. */
export const ISSUERS_KEPT = 500;

/** A metadata document or a set of keys: those of the large providers have 2 to 10 kB. */
export const DOCUMENT_BYTES = 256 * 1024;

/** Keys of one issuer; each is compared with a token's header. */
export const KEYS_OF_ONE = 100;

/** How long one document may take: a client waits at AUTH for two of them. */
export const FETCH_MS = 5_000;

/** After this time keys are fetched again before they are used: withdrawn keys are no longer trusted. */
export const FRESH_MS = 60 * 60_000;

/** How long cached keys are used while an issuer cannot be reached: an outage of a working day. */
export const STALE_MS = 24 * 60 * 60_000;

/** An unknown key causes one request in this time, however many tokens name it. */
export const ROTATION_MS = 60_000;

/** An issuer that could not be reached is not asked for this time. */
export const RETRY_MS = 15_000;

/** Clocks of issuers and ours (RFC 7519 4.1.4: "usually no more than a few minutes"). */
export const LEEWAY_SECONDS = 60;

/** The length of a token's claims that an administrator is shown. */
export const SHOWN_CHARACTERS = 200;
