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

export type DnsAnswer<T> =
  | { readonly kind: 'found'; readonly records: readonly T[]; readonly ttlSeconds: number; readonly authentic: boolean }
  /** `nxdomain`: the name does not exist; otherwise it exists without such records. */
  | { readonly kind: 'none'; readonly nxdomain: boolean; readonly ttlSeconds: number; readonly authentic: boolean }
  | {
      readonly kind: 'unknown';
      readonly reason: 'timeout' | 'servfail' | 'refused' | 'malformed' | 'unreachable' | 'too-many';
    };

export interface Resolver {
  /** `name`: absolute, without the final dot, ASCII. CNAMEs are followed (bounded). */
  resolve<K extends RecordType>(name: string, type: K, signal?: AbortSignal): Promise<DnsAnswer<RecordTypes[K]>>;
}

/** Keeps answers and failures for a while. */
export interface CachingResolver extends Resolver {
  /** Whatever is kept is asked anew. */
  forget(): void;
}
