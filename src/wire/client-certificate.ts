/** What a client's certificate says, where it was asked for one and has proven to hold its key. */
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../model/session.ts';
import { CERTIFICATE_NAMES } from './limits.ts';

/** Undefined where there is none, or its time is over. */
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

/** `authorized` is only set on connections of a `tls.Server`, so OpenSSL is asked itself; where that cannot be, it is not. */
function isVerified(socket: TLSSocket): boolean {
  const { ssl } = socket as TLSSocket & { readonly ssl?: { verifyError?(): Error | null | undefined } };
  return typeof ssl?.verifyError === 'function' && !ssl.verifyError();
}

/** Node puts names that could be mistaken for several in quotes: these are left out. */
const DNS_NAME = /^DNS:([A-Za-z0-9_.*-]{1,255})$/;

function dnsNames(subjectAltName: string): readonly string[] {
  return subjectAltName
    .split(', ')
    .slice(0, CERTIFICATE_NAMES)
    .flatMap((entry) => DNS_NAME.exec(entry)?.[1]?.toLowerCase() ?? []);
}
