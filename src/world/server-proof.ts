/**
 * How a server proves who it is before we send it a secret: by a certificate for its name, or by the key that an
 * operator pinned. The handshake itself is accepted, so that an operator can be shown what the server presented;
 * `doubt` must be asked before any secret is sent.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { type ConnectionOptions, checkServerIdentity, type TLSSocket } from 'node:tls';
import { clientTls, tlsVerification } from './tls.ts';

export interface ProofRules {
  /** The name that an operator entered, or the address. */
  readonly host: string;
  /**
   * PEM, of the authority that signed the server's certificate or of the server's own certificate; empty: the public
   * authorities.
   */
  readonly authority: string;
  /** SHA-256 of public keys (SubjectPublicKeyInfo), base64. If there are any, only they count. */
  readonly pins: readonly string[];
}

export interface ServerProof {
  readonly tlsOptions: () => ConnectionOptions;
  /** Why the server may be another one, in a sentence; undefined: it is the right one. */
  doubt(socket: TLSSocket | undefined): string | undefined;
}

export function serverProof({ host, authority, pins }: ProofRules): ServerProof {
  let options: ConnectionOptions | undefined;
  return {
    tlsOptions() {
      options ??= {
        ...clientTls(host, authority),
        rejectUnauthorized: false,
        // By default, TLS would check for `localhost` where the server is known by its address.
        checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
      };
      return options;
    },
    doubt(socket) {
      if (!socket) return 'the connection is not encrypted';
      const certificate = socket.getPeerX509Certificate();
      if (!certificate) return 'the server shows no certificate';
      const key = `sha256/${keyPin(certificate)}`;
      if (pins.length > 0)
        return pins.includes(keyPin(certificate)) ? undefined : `the server's key is not the one pinned: it is ${key}`;
      if (socket.authorized || isItself(authority, certificate)) return undefined;
      return `the certificate cannot be verified for ${host} (${tlsVerification(socket)}); its key is ${key}`;
    },
  };
}

/** RFC 7469 2.4. */
export function keyPin(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/**
 * A pin as an operator enters it: in the form of openssl, of curl (`sha256//...`) or of our own messages
 * (`sha256/...`).
 */
export function keyDigest(text: string): string | undefined {
  const digest = text.trim().replace(/^sha256(?:\/\/?|:)/i, '');
  return /^[A-Za-z0-9+/]{43}=$/.test(digest) ? digest : undefined;
}

/** The operator entered the very certificate that the server presents, whatever name is in it. */
function isItself(authority: string, shown: X509Certificate): boolean {
  return authority !== '' && new X509Certificate(authority).raw.equals(shown.raw);
}
