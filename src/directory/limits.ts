/** Bounds of the directory, each with its reason. */

/** Addresses and domains kept in memory, in each of two generations: the busy part of 100,000 accounts, some 30 MB at worst. */
export const CACHED_ENTRIES = 50_000;

/** Aliases of aliases: nobody has that many levels on purpose, and a loop must end. */
export const ALIAS_DEPTH = 10;

/** Targets of one address, all levels together: more is a mailing list. */
export const ALIAS_TARGETS = 1000;

/** Domain mail servers of one node: each is compared with every client whose domain they serve. */
export const MAIL_SERVERS = 10_000;

/**
 * How long the addresses of a server's name are cached, whatever its TTL: changes are seen soon, and no name is
 * looked up for every message.
 */
export const HOST_TTL_SECONDS = { least: 10, most: 3600 } as const;

/** A name that could not be resolved is looked up again after this time. */
export const HOST_FAILURE_SECONDS = 5;

/** How often the records of signing DKIM keys are checked, and their problems reported. */
export const ACTIVE_RECORD_CHECK_MS = 86_400_000;

/** Rows of one page of a list. */
export const PAGE_ROWS = 1000;

/** The longest that PLAIN can carry (RFC 4616 2) in bytes; nobody types more. */
export const PASSWORD_BYTES = 255;

/** The cost of a new hash of a password. */
export interface PasswordCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly saltBytes: number;
  readonly tagBytes: number;
}

/** RFC 9106 4 (second recommended option: 64 MiB, three passes) with one lane, since it runs in one thread. */
export const ARGON2: PasswordCost = { memoryKiB: 65_536, passes: 3, parallelism: 1, saltBytes: 16, tagBytes: 32 };

/** Domains whose signing keys are kept open in memory, in each of two generations: some 4 kB each. */
export const SIGNING_DOMAINS = 2_000;

/**
 * Local domains and named accounts that look-alikes are compared with: each is compared with the name of every
 * untrusted sender.
 */
export const IDENTITY_DOMAINS = 1_000;
export const IDENTITY_PEOPLE = 5_000;

/** Longer names are cut on every screen. */
export const NAME_CHARACTERS = 200;

/** Domains of correspondents that are kept: those of a thousand people, some 200 kB. */
export const CORRESPONDENT_DOMAINS = 2_000;

/** Counts are written in groups, so that they do not delay outgoing mail. */
export const CORRESPONDENT_WRITE_MS = 60_000;

/** The cost that a stored hash may have: four times ours, for accounts that were imported. */
export const ARGON2_BOUNDS = { memoryKiB: 262_144, passes: 12 } as const;

/**
 * `threads`: each takes 64 MB and a core while it works. `waiting`: some eight seconds of work, which a mail program
 * waits for. `idleMs`: an idle node keeps no thread. During password guessing, a pause of `restTimes` the time of a
 * hash, `restMostMs` at most, follows each hash of an unknown client, and fewer unknown clients may wait
 * (`unknownWaiting`), for the same eight seconds: a core that hashes guesses takes a tenth of the mail's rate on two.
 */
export const HASHING = {
  threads: 2,
  waiting: 64,
  idleMs: 10_000,
  restTimes: 3,
  restMostMs: 2000,
  unknownWaiting: 8,
} as const;

/**
 * `wrong`: this many wrong passwords are guesses, not users on a Monday morning, of whose attempts one in a few is
 * right: each right one compensates `wrongForOneRight`. `quietMs`: without another one it is over.
 */
export const GUESSING = { wrong: 16, wrongForOneRight: 8, quietMs: 60_000 } as const;

/** RFC 7677 4 asks for 4,096 and recommends more; a client computes them all at each sign-in. */
export const SCRAM = { iterations: 100_000, saltBytes: 16 } as const;

/** How long a right password is cached (as a keyed digest, in memory): mail programs sign in with every message. */
export const REMEMBERED_MS = 300_000;
export const REMEMBERED_ENTRIES = 10_000;

/**
 * Networks of recent sign-ins of an account: at home, at work, on the way; no account, own or stolen, can displace
 * the entries of others.
 */
export const FAMILIAR_ACCOUNTS = 50_000;
export const FAMILIAR_NETWORKS = 8;

/**
 * Passwords of one account that go before unknown clients' at a time: a device or two; an account must not block all
 * others.
 */
export const KNOWN_AT_ONCE = 2;

/** App passwords of one account: a few devices, and forgotten ones. */
export const APP_PASSWORDS = 50;

/** Addresses and domains that one account may write as. */
export const SEND_AS_GRANTS = 1000;

/** Accounts imported in one go: each password takes a quarter of a second. */
export const IMPORT_ROWS = 1000;

/** Mail servers that this node signs in to: each domain may have its own. */
export const SERVER_LOGINS = 10_000;

/** Keys that a server may have: the one in use, the next, and those of its twins. */
export const SERVER_PINS = 8;

/** Access tokens with claims and a signature; the AUTH line of RFC 4954 4 has 12,288 bytes, in base64. */
export const TOKEN_CHARACTERS = 8_192;
