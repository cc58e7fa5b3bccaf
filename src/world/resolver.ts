/**
 * DNS as the rooms see it: three answers, not two.
 *
 * `found` and `none` are facts; `unknown` (time-out, SERVFAIL, no server) is no one's guilt. Never
 * throws for what a name server does.
 */
export interface Mx {
  readonly preference: number;
  readonly exchange: string;
}

export interface Tlsa {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  readonly data: Uint8Array;
}

export interface RecordTypes {
  A: string;
  AAAA: string;
  MX: Mx;
  /** The character-strings of one record, in order, as bytes. */
  TXT: readonly Uint8Array[];
  PTR: string;
  CNAME: string;
  NS: string;
  TLSA: Tlsa;
}

export type RecordType = keyof RecordTypes;

/** `too-many`: this node was short of places. That is our trouble, never the other side's. */
export type UnknownReason = 'timeout' | 'servfail' | 'refused' | 'malformed' | 'unreachable' | 'too-many';

export type DnsAnswer<T> =
  | { readonly kind: 'found'; readonly records: readonly T[]; readonly ttlSeconds: number; readonly authentic: boolean }
  /** `nxdomain`: the name does not exist; otherwise it exists without such records. */
  | { readonly kind: 'none'; readonly nxdomain: boolean; readonly ttlSeconds: number; readonly authentic: boolean }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

export interface Resolver {
  /** `name`: absolute, without the final dot, ASCII. CNAMEs are followed (bounded). */
  resolve<K extends RecordType>(name: string, type: K, signal?: AbortSignal): Promise<DnsAnswer<RecordTypes[K]>>;
  /** Whose answers it passes on, where they are another's: what is made of them may be kept for that one. */
  readonly source?: Resolver;
}

/** Keeps answers and failures for a while. */
export interface CachingResolver extends Resolver {
  /** Whatever is kept is asked anew. */
  forget(): void;
}

export interface SharingResolver extends CachingResolver {
  /** For questions that a stranger causes. What is asked without it is our own, and has places that no stranger gets. */
  for(owner: LookUpOwner): OwnedResolver;
}

/** Who causes a look-up: what gets one share when places are short, the widest first (a network, then a session). */
export type LookUpOwner = readonly string[];

/** The questions of one transaction. Never rejects: what is not answered any more is `unknown`. */
export interface OwnedResolver extends Resolver {
  readonly source: Resolver;
  /** Questions that the cache did not answer. */
  questions(): number;
  /**
   * A question found no place, or lost it, or nobody waits any more: what follows from the answers
   * counts for nothing.
   */
  isShort(): boolean;
  /** A bound of time ended work over these questions: where one had waited for a place, that is our shortage. */
  ranOutOfTime(): void;
  /** The same questions, counts and shortage; its `end` ends only what was asked through it. */
  part(): OwnedResolver;
  /** Nobody waits any more: what only this owner asked is given up, in flight or not. */
  end(): void;
}
