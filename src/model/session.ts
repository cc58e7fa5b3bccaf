/** What every room may know of the SMTP session that received a message. */
export type ListenerProfile = 'mx' | 'submission' | 'submissions';

/**
 * In place of an address: a proxy forwards a client whose address it does not know. It is not an address, so no
 * network, host or list contains it, and nothing trusts it for its address.
 */
export const UNKNOWN_ADDRESS = 'unknown';

export interface Peer {
  /** Textual IPv4 or IPv6, IPv4-mapped IPv6 is written as IPv4; or UNKNOWN_ADDRESS. */
  readonly address: string;
  readonly port: number;
}

/** A client's certificate, valid now. The client proved that it has the key. */
export interface ClientCertificate {
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
  /** DNS names in it, in lower case; believed only if `verified`. */
  readonly names: readonly string[];
  /** A public authority signed it. */
  readonly verified: boolean;
}

export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  readonly servername?: string;
  /** Absent if a proxy forwards the client. */
  readonly certificate?: ClientCertificate;
}

export interface SessionFacts {
  /** Unique, time-ordered; the journal's key of the session. */
  readonly id: string;
  readonly profile: ListenerProfile;
  /** The client as PROXY or XCLIENT names it (a proxy may not know it), else the peer of the socket. */
  readonly client: Peer;
  /** The proxy in between, if one forwards the client. */
  readonly proxy?: Peer;
  readonly local: Peer;
  /** As the client sent it in HELO or EHLO. */
  readonly helo?: string;
  readonly extended: boolean;
  readonly tls?: TlsFacts;
  /** The account that authenticated; absent before authentication. */
  readonly account?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}
