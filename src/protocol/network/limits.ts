/** Bounds of networks and host patterns, each with its reason. */

/** Networks that one entry with wildcards may stand for: `10.*.0.1` is 256. */
export const NETWORKS_OF_ONE = 4096;

/**
 * The shortest prefixes that pass: IANA gives regional registries /8s of IPv4, and no organisation has more than a
 * /16 of IPv6.
 */
export const SHORTEST_PREFIX = { 32: 8, 128: 16 } as const;
