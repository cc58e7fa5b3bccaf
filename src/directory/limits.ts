/** Bounds of the directory, each with its reason. */

/** Addresses and domains kept in memory, in each of two generations: the busy part of 100,000 accounts, some 30 MB at worst. */
export const CACHED_ENTRIES = 50_000;

/** Aliases of aliases: nobody has that many levels by intent, and a loop must end. */
export const ALIAS_DEPTH = 10;

/** Targets of one address, all levels together: more is a mailing list. */
export const ALIAS_TARGETS = 1000;

/** Domain mail servers of one node: each is compared with every client whose domain they serve. */
export const MAIL_SERVERS = 10_000;

/** How long the addresses of a server's name are kept, whatever its TTL says: changes are seen soon, and no name is asked for with every message. */
export const HOST_TTL_SECONDS = { least: 10, most: 3600 } as const;

/** A name that could not be resolved is asked for again after this time. */
export const HOST_FAILURE_SECONDS = 5;

/** Rows of one page of a list. */
export const PAGE_ROWS = 1000;

/** NIST SP 800-63B 3.1.1.2 asks for at least 8 characters; the most is what nobody types. */
export const PASSWORD_CHARACTERS = { least: 8, most: 1000 } as const;

/** RFC 9106 4 (second recommended option: 64 MiB, three passes) with one lane, since it runs in one thread. */
export const ARGON2 = { memoryKiB: 65_536, passes: 3, parallelism: 1, saltBytes: 16, tagBytes: 32 } as const;

/** Domains whose signing keys are kept open in memory, in each of two generations: some 4 kB each. */
export const SIGNING_DOMAINS = 2_000;

/** Local domains and named accounts that look-alikes are compared with: each is compared with every stranger's. */
export const IDENTITY_DOMAINS = 1_000;
export const IDENTITY_PEOPLE = 5_000;

/** Longer names are cut off on every screen. */
export const NAME_CHARACTERS = 200;

/** Domains written to that are kept: the habits of a thousand people, some 200 kB. */
export const CORRESPONDENT_DOMAINS = 2_000;

/** Counts are written in groups, so that outgoing mail does not pay for them. */
export const CORRESPONDENT_WRITE_MS = 60_000;
