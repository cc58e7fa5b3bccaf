/**
 * TLS to a source. If a password is sent, the certificate must be right: signed by a public authority and for that
 * name, or by the certificate that the operator entered, which may also be the server's own.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';

const COMMON = { minVersion: 'TLSv1.2' } as const;

/** `trust`: PEM, or empty for the public authorities. */
export function verifiedTls(host: string, trust: string): ConnectionOptions {
  const named = { ...COMMON, ...(!isIP(host) && { servername: host }), rejectUnauthorized: true };
  if (trust === '') return named;
  const own = new X509Certificate(trust).raw;
  return {
    ...named,
    ca: trust,
    checkServerIdentity: (_name, certificate) =>
      certificate.raw.equals(own) ? undefined : checkServerIdentity(host, certificate),
  };
}

/** Only against eavesdroppers (RFC 7435): no secret is sent. */
export function unverifiedTls(host: string): ConnectionOptions {
  return { ...COMMON, ...(!isIP(host) && { servername: host }), rejectUnauthorized: false };
}
