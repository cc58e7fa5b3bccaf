/**
 * TLS contexts for servers and for delivery.
 *
 * A server starts with one certificate and may be given others at run time (`use`): handshakes that begin afterwards
 * use them, running sessions keep theirs. A client of an unknown host encrypts without demanding a name it could
 * verify (RFC 7435); the result of verification is recorded (`tlsVerification`). TLS 1.2 is the oldest version
 * allowed (RFC 8996 2).
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
  type TLSSocketOptions,
} from 'node:tls';
import { OperationalError } from '../model/errors.ts';
import type { TlsFacts } from '../model/session.ts';

/** PEM, the leaf certificate first; the key unencrypted. */
export interface CertificateAndKey {
  readonly certificate: string;
  readonly key: string;
  /** The paths of the files, for the administrator who must fix them. */
  readonly paths?: { readonly certificate: string; readonly key: string };
}

export interface TlsContexts {
  /** What `new TLSSocket(socket, server())` needs to act as the server. */
  server(): TLSSocketOptions;
  /** What `connect({ socket, ...opportunistic(host) })` needs to reach a host without authenticating it. */
  opportunistic(host: string): ConnectionOptions;
  /**
   * The first is presented to clients that name no server, or one that no certificate names. Errors:
   * `tls.certificate`.
   */
  use(certificates: readonly [CertificateAndKey, ...CertificateAndKey[]]): void;
}

/**
 * Forward secrecy always, AEAD preferred (RFC 9325 4.2); CBC stays for old mail servers, which would otherwise send
 * in clear. Node disables TLS 1.3 unless its suites are named.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES',
].join(':');

/** Without a session context, a resumed session would fail where client certificates are requested. */
const SERVER = { honorCipherOrder: true, sessionIdContext: 'postern' } as const;

const COMMON = { minVersion: 'TLSv1.2', ciphers: CIPHERS } as const;

export function createTlsContexts(...certificates: [CertificateAndKey, ...CertificateAndKey[]]): TlsContexts {
  let chosen = choose(certificates);
  const SNICallback: TLSSocketOptions['SNICallback'] = (servername, done) => done(null, chosen.byName(servername));

  return {
    server: () => ({ isServer: true, secureContext: chosen.first, SNICallback }),
    opportunistic(host) {
      return { ...clientTls(host), rejectUnauthorized: false };
    },
    use(next) {
      chosen = choose(next);
    },
  };
}

let publicAuthorities: SecureContext | undefined;

/** Created on first use: it loads the root certificates, which take memory. */
function publicContext(): SecureContext {
  publicAuthorities ??= createSecureContext(COMMON);
  return publicAuthorities;
}

/**
 * What `connect` needs to be a client of a host: its name, and the authority to trust (PEM; empty: the public
 * authorities).
 */
export function clientTls(host: string, authority = ''): ConnectionOptions {
  const secureContext = authority === '' ? publicContext() : createSecureContext({ ...COMMON, ca: authority });
  // RFC 6066 3: an address is not a valid server name.
  return { secureContext, ...(!isIP(host) && { servername: host }) };
}

interface Choice {
  readonly first: SecureContext;
  byName(servername: string): SecureContext;
}

function choose(certificates: readonly [CertificateAndKey, ...CertificateAndKey[]]): Choice {
  const loaded = certificates.map((pair) => load(pair));
  const first = loaded[0]!.context;
  return {
    first,
    byName: (name) => loaded.find(({ leaf }) => leaf.checkHost(name, { subject: 'never' }))?.context ?? first,
  };
}

function load({ certificate, key, paths }: CertificateAndKey): { leaf: X509Certificate; context: SecureContext } {
  try {
    return {
      leaf: new X509Certificate(certificate),
      context: createSecureContext({ ...COMMON, ...SERVER, cert: certificate, key }),
    };
  } catch (cause) {
    const said = (cause as Error).message;
    throw new OperationalError(
      'tls.certificate',
      `cannot use ${paths ? `the certificate ${paths.certificate} with the key ${paths.key}` : 'a certificate'}, as it and its key must be a matching pair in PEM: OpenSSL says ${said}`,
      { cause },
    );
  }
}

/** What the session's log records of the encryption; undefined before the handshake is done. */
export function tlsFacts(socket: TLSSocket): TlsFacts | undefined {
  const protocol = socket.getProtocol();
  if (!protocol) return undefined;
  // `servername` is false where the client named none.
  const servername = (socket as { servername?: string | false }).servername;
  return { protocol, cipher: socket.getCipher().name, ...(servername && { servername }) };
}

/** `verified`, or why not, as OpenSSL's code (`SELF_SIGNED_CERT_IN_CHAIN`, `ERR_TLS_CERT_ALTNAME_INVALID`). */
export function tlsVerification(socket: TLSSocket): string {
  if (socket.authorized) return 'verified';
  const error: unknown = socket.authorizationError;
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error ?? 'unknown');
}
