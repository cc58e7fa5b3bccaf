/**
 * The directory: domains, accounts, aliases, sub-addresses, domain mail servers.
 *
 * Asked on the hot path, so answers come at once where the database can (MaybePromise).
 */
import type { Address } from '../model/address.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';

export interface Domain {
  readonly name: string;
  readonly enabled: boolean;
}

export interface Account {
  readonly address: string;
  readonly domain: string;
  readonly state: 'active' | 'frozen' | 'disabled';
}

/** What a session or message must present besides the address of a server. `header` is in lower case. */
export type ServerCondition =
  | { readonly kind: 'tenant-marker'; readonly header: string; readonly value: string }
  /** `value`: SHA-256 in hex, or a name in it. */
  | { readonly kind: 'client-certificate'; readonly value: string }
  | { readonly kind: 'sign-in' };

/** A client has the address of a server of that domain, and one of these conditions must be met for it to count. */
export interface ServerClaim {
  readonly domain: string;
  readonly conditions: readonly ServerCondition[];
}

export interface DomainMailServer {
  readonly id: number;
  readonly description: string;
  readonly host: string;
  readonly port: number;
  readonly order: number;
  readonly isDefault: boolean;
  /** Empty for a default server, which serves domains without one. */
  readonly domains: readonly string[];
  /** Networks that it sends from besides its own addresses. */
  readonly sendsFrom?: readonly string[];
  /** Its address counts only if one of these is met. Absent: its address is enough. */
  readonly conditions?: readonly ServerCondition[];
}

export type Resolution =
  /** Not a local domain. */
  | { readonly kind: 'remote' }
  /** Local; `targets`: where copies go (one for an account; several for an alias list; remote targets possible). */
  | {
      readonly kind: 'local';
      readonly account?: Account;
      readonly targets: readonly Address[];
      readonly viaAlias: boolean;
      /** The reason, if no source could tell and settings accept that. */
      readonly unsure?: string;
      /** The domain whose settings count; absent: the address's own. */
      readonly domain?: string;
    }
  /** postmaster or abuse without an account or alias of that name: the domain's server, else the administrators. */
  | { readonly kind: 'role'; readonly targets: readonly Address[]; readonly domain?: string }
  /** `return`: a rewritten sender (SRS) that we did not create, or one that has expired. */
  | { readonly kind: 'unknown-user'; readonly return?: 'forged' | 'expired' }
  /** The account exists and is disabled: it takes no mail. For an alias: all its targets are. */
  | { readonly kind: 'disabled' }
  /** It exists elsewhere, as a source confirms, but takes no mail now. */
  | { readonly kind: 'unavailable'; readonly why: 'disabled' | 'full' }
  | { readonly kind: 'cannot-tell'; readonly reason: string };

export interface Directory {
  domain(name: string): MaybePromise<Domain | undefined>;
  /**
   * The bare `<postmaster>`, and that of this node's own name or address, resolves to the administrators'
   * address. `site`: of the client that asks (wire/network.ts), which takes turns with others while sources are busy.
   */
  resolve(address: Address, site?: string): MaybePromise<Resolution>;
  /** A domain's own servers in order, else the default ones, else none. */
  mailServers(domain: string): MaybePromise<readonly DomainMailServer[]>;
  /**
   * Whether the client is a domain mail server of that domain (host names resolved, all addresses, TTL-cached).
   * `cannot-tell` when a server's name could not be resolved and no other server matches.
   */
  isMailServerOf(domain: string, clientAddress: string): MaybePromise<'yes' | 'no' | 'cannot-tell'>;
  /** For servers whose address alone proves nothing: those that the client may be, for one domain or for any. */
  serverClaims(clientAddress: string, domain?: string): MaybePromise<readonly ServerClaim[]>;
  /** Whether any session needs to be asked for a client certificate; false until that is known. */
  asksCertificates(): boolean;
  /** Any domain this client is a mail server of (for `MAIL FROM:<>`). */
  mailServerDomains(clientAddress: string): MaybePromise<readonly string[]>;
}
