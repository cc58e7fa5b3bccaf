/** What SASL exchanges (RFC 4422) ask whoever knows the credentials, and what comes of them. */
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { ScramVerifier } from '../../protocol/sasl/scram.ts';

/** `reason` is for the log; whoever tried to sign in is told the same for all of them. */
export type Refusal = 'unknown' | 'wrong' | 'state' | 'expired' | 'not-allowed';

export type SaslVerdict =
  /** The account's address, or `@domain` for a domain's own login. `proof` absent: nothing that is kept here, as a token. */
  | { readonly kind: 'yes'; readonly account: string; readonly proof?: Proof }
  | { readonly kind: 'no'; readonly reason: Refusal; readonly token?: TokenFailure }
  /** Whoever would know does not answer: nobody's fault. */
  | { readonly kind: 'cannot-tell'; readonly reason: string }
  /** Too many wait already. */
  | { readonly kind: 'busy' };

/** What somebody signed in with. Not for a log. */
export type Proof =
  /** By whatever mechanism; `stored`: the hash that was kept then, undefined where only a source knows the password. */
  | { readonly kind: 'password'; readonly stored: string | undefined }
  | { readonly kind: 'app-password'; readonly digest: string }
  | { readonly kind: 'certificate'; readonly fingerprint: string };

/** What a client is told of a token that was refused (RFC 7628 3.2.2). */
export interface TokenFailure {
  readonly status: 'invalid_token' | 'insufficient_scope';
  readonly scope?: string;
  /** URL of the issuer's metadata. */
  readonly configuration?: string;
}

/** Implemented by the directory. None of these rejects. */
export interface Authority {
  /**
   * `username`: an address, or a domain for the domain's own login. `network`: of the client; whoever
   * signed in from there before goes before strangers while somebody guesses.
   */
  password(username: string, password: string, network?: string): Promise<SaslVerdict>;
  /** For an unknown user a verifier that is always the same, so that salts tell nothing; `outcome` is what a right proof comes to. */
  scram(username: string): MaybePromise<{ readonly verifier: ScramVerifier; readonly outcome: SaslVerdict }>;
  /** CRAM-MD5: the password itself where it was kept for that, and what a right answer comes to. */
  sharedSecret(username: string): MaybePromise<{ readonly secret: Uint8Array; readonly outcome: SaslVerdict }>;
  bearer(username: string | undefined, token: string): Promise<SaslVerdict>;
  /** `fingerprint`: SHA-256 of the client's certificate in hex; `username`: whom it asks to be, if it says. */
  certificate(fingerprint: string, username: string): MaybePromise<SaslVerdict>;
  /**
   * Whether who signed in as this account may go on: it was not frozen, disabled or removed since, nor
   * was what it signed in with changed or taken away.
   */
  stands(account: string, proof: Proof | undefined): MaybePromise<'yes' | 'no' | 'cannot-tell'>;
}

/** Which mechanisms anyone could use here at all; the same object until that changes. */
export interface Offers {
  readonly scram: boolean;
  readonly bearer: boolean;
  readonly cramMd5: boolean;
  readonly external: boolean;
}
