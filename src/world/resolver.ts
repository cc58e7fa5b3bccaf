/**
 * DNS as the rooms see it: three answers, not two.
 *
 * `found` and `none` are facts; `unknown` (time-out, SERVFAIL, no server) counts against nobody. Never throws for
 * what a name server does.
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

/** `too-many`: this node was short of places. That is a fault of this node, never of the other side. */
export type UnknownReason = 'timeout' | 'servfail' | 'refused' | 'malformed' | 'unreachable' | 'too-many';

export type DnsAnswer<T> =
  | { readonly kind: 'found'; readonly records: readonly T[]; readonly ttlSeconds: number; readonly authentic: boolean }
  /** `nxdomain`: the name does not exist; otherwise it exists without such records. */
  | { readonly kind: 'none'; readonly nxdomain: boolean; readonly ttlSeconds: number; readonly authentic: boolean }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

export interface Resolver {
  /** `name`: absolute, without the final dot, ASCII. CNAMEs are followed (bounded). */
  resolve<K extends RecordType>(name: string, type: K, signal?: AbortSignal): Promise<DnsAnswer<RecordTypes[K]>>;
  /**
   * The resolver that gives the answers, where this one only passes them on: results derived from them may be cached
   * for that one.
   */
  readonly source?: Resolver;
}

/** Caches answers and failures for a while. */
export interface CachingResolver extends Resolver {
  /** Everything cached is asked again. */
  forget(): void;
}

export interface SharingResolver extends CachingResolver {
  /**
   * For questions that an untrusted client causes. A question asked without it is our own, and has reserved places.
   */
  for(owner: LookUpOwner): OwnedResolver;
}

/**
 * Who causes a look-up: each level gets one share when places are short, the widest first (a network, then a
 * session).
 */
export type LookUpOwner = readonly string[];

/** The questions of one transaction. Never rejects: a question that is given up is answered `unknown`. */
export interface OwnedResolver extends Resolver {
  readonly source: Resolver;
  /** The number of questions that the cache did not answer. */
  questions(): number;
  /** A question found no place, or lost it, or was given up: conclusions from the answers do not count. */
  isShort(): boolean;
  /** A time limit ended work over these questions: if one had waited for a place, that is a shortage of this node. */
  ranOutOfTime(): void;
  /** Shares the questions, counts and shortage; its `end` ends only the questions asked through it. */
  part(): OwnedResolver;
  /** The owner is gone: questions that only it asked are given up, in flight or not. */
  end(): void;
}
