/** What SASL exchanges (RFC 4422) ask the owner of the credentials, and its answers. */
import type { MaybePromise } from '../../model/maybe-promise.ts';
import type { ScramVerifier } from '../../protocol/sasl/scram.ts';

/** `reason` is for the log; the client gets the same reply for all of them. */
export type Refusal = 'unknown' | 'wrong' | 'state' | 'expired' | 'not-allowed';

export type SaslVerdict =
  /**
   * The account's address, or `@domain` for a domain's own login. `proof` absent: no stored credential, as with a
   * token.
   */
  | { readonly kind: 'yes'; readonly account: string; readonly proof?: Proof }
  | { readonly kind: 'no'; readonly reason: Refusal; readonly token?: TokenFailure }
  /** The source that knows does not answer: nobody's fault. */
  | { readonly kind: 'cannot-tell'; readonly reason: string }
  /** Too many wait already. */
  | { readonly kind: 'busy' };

/** The credential of a sign-in. Not for a log. */
export type Proof =
  /** Of any mechanism; `stored`: the hash that was stored then, undefined where only a source knows the password. */
  | { readonly kind: 'password'; readonly stored: string | undefined }
  | { readonly kind: 'app-password'; readonly digest: string }
  | { readonly kind: 'certificate'; readonly fingerprint: string };

/** What a client is sent about a token that was refused (RFC 7628 3.2.2). */
export interface TokenFailure {
  readonly status: 'invalid_token' | 'insufficient_scope';
  readonly scope?: string;
  /** URL of the issuer's metadata. */
  readonly configuration?: string;
}

/** Implemented by the directory. None of these rejects. */
export interface Authority {
  /**
   * `username`: an address, or a domain for the domain's own login. `network`: of the client; during password
   * guessing, a client that signed in from its network before goes before unknown ones.
   */
  password(username: string, password: string, network?: string): Promise<SaslVerdict>;
  /**
   * For an unknown user a verifier that is always the same, so that salts disclose nothing; `outcome` is the result
   * of a right proof.
   */
  scram(username: string): MaybePromise<{ readonly verifier: ScramVerifier; readonly outcome: SaslVerdict }>;
  /** CRAM-MD5: the password itself where it was stored for that, and the result of a right answer. */
  sharedSecret(username: string): MaybePromise<{ readonly secret: Uint8Array; readonly outcome: SaslVerdict }>;
  bearer(username: string | undefined, token: string): Promise<SaslVerdict>;
  /** `fingerprint`: SHA-256 of the client's certificate in hex; `username`: the account it asks for, if any. */
  certificate(fingerprint: string, username: string): MaybePromise<SaslVerdict>;
  /**
   * Whether a session of this account may go on: the account was not frozen, disabled or removed since the sign-in,
   * nor was its credential changed or taken away.
   */
  stands(account: string, proof: Proof | undefined): MaybePromise<'yes' | 'no' | 'cannot-tell'>;
}

/** The mechanisms that any account could use; the same object until that changes. */
export interface Offers {
  readonly scram: boolean;
  readonly bearer: boolean;
  readonly cramMd5: boolean;
  readonly external: boolean;
}
