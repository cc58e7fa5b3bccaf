/** The content of a client's certificate, where one was requested and the client proved that it has the key. */
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../model/session.ts';
import { CERTIFICATE_NAMES } from './limits.ts';

/** Undefined if there is none, or it is not valid now. */
export function clientCertificate(socket: TLSSocket, now: number): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate || certificate.validFromDate.getTime() > now || certificate.validToDate.getTime() < now)
    return undefined;
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    names: dnsNames(certificate.subjectAltName ?? ''),
    verified: isVerified(socket),
  };
}

/**
 * `authorized` is only set on connections of a `tls.Server`, so OpenSSL is asked directly; where that fails, the
 * result is false.
 */
function isVerified(socket: TLSSocket): boolean {
  const { ssl } = socket as TLSSocket & { readonly ssl?: { verifyError?(): Error | null | undefined } };
  return typeof ssl?.verifyError === 'function' && !ssl.verifyError();
}

/** Node quotes names that could be mistaken for several: these are left out. */
const DNS_NAME = /^DNS:([A-Za-z0-9_.*-]{1,255})$/;

function dnsNames(subjectAltName: string): readonly string[] {
  return subjectAltName
    .split(', ')
    .slice(0, CERTIFICATE_NAMES)
    .flatMap((entry) => DNS_NAME.exec(entry)?.[1]?.toLowerCase() ?? []);
}
