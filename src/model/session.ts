/** What every room may know of the SMTP session a message came in by. */
export type ListenerProfile = 'mx' | 'submission' | 'submissions';

/**
 * In place of an address: a proxy speaks for a client that it does not know. It is no address, so no
 * network, host or list has it, and nothing that goes by addresses trusts it.
 */
export const UNKNOWN_ADDRESS = 'unknown';

export interface Peer {
  /** Textual IPv4 or IPv6, IPv4-mapped IPv6 is written as IPv4; or UNKNOWN_ADDRESS. */
  readonly address: string;
  readonly port: number;
}

/** A client's certificate, whose key it has proven to hold, while it is valid. */
export interface ClientCertificate {
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
  /** DNS names in it, in lower case; believed only where `verified`. */
  readonly names: readonly string[];
  /** A public authority vouches for it. */
  readonly verified: boolean;
}

export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  readonly servername?: string;
  /** Never of a proxy that speaks for the client. */
  readonly certificate?: ClientCertificate;
}

export interface SessionFacts {
  /** Unique, time-ordered; the journal's key of the session. */
  readonly id: string;
  readonly profile: ListenerProfile;
  /** The client as PROXY or XCLIENT told it (a proxy may say that it does not know), else the socket's other end. */
  readonly client: Peer;
  /** The proxy in between, if one spoke for the client. */
  readonly proxy?: Peer;
  readonly local: Peer;
  /** As the client said it in HELO or EHLO. */
  readonly helo?: string;
  readonly extended: boolean;
  readonly tls?: TlsFacts;
  /** The account that authenticated; absent until the session did. */
  readonly account?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}
