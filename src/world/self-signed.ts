/**
 * A self-signed certificate, so that a new node can offer STARTTLS at once: ECDSA P-256, named after the host. Nobody
 * can verify it; opportunistic senders encrypt to it all the same. `node:crypto` cannot create certificates, so pkijs
 * does; it is loaded only here and only when needed.
 */
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Clock } from './clock.ts';
import { type Random, systemRandom } from './random.ts';
import type { CertificateAndKey } from './tls.ts';

const DAY_MS = 86_400_000;
/** Peers' clocks may run behind ours. */
const BACKDATED_MS = DAY_MS;
/** Nothing renews it, and nobody could verify it: it lasts until a real certificate takes its place. */
const VALID_MS = 3650 * DAY_MS;

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** X.509: upper bound of a common name (RFC 5280 A.1, ub-common-name). */
const LONGEST_COMMON_NAME = 64;
const OID = { commonName: '2.5.4.3', subjectAltName: '2.5.29.17', basicConstraints: '2.5.29.19' } as const;
/** GeneralName choices, RFC 5280 4.2.1.6. */
const GENERAL_NAME = { dns: 2, ip: 7 } as const;

export async function selfSigned(
  hostname: string,
  clock: Clock,
  random: Random = systemRandom,
): Promise<CertificateAndKey> {
  const [pkijs, asn1] = await Promise.all([import('pkijs'), import('asn1js')]);
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const extension = (extnID: string, value: ArrayBuffer, critical = false) =>
    new pkijs.Extension({ extnID, critical, extnValue: value });
  const name = isIP(hostname)
    ? new pkijs.GeneralName({
        type: GENERAL_NAME.ip,
        value: new asn1.OctetString({ valueHex: Uint8Array.from(ipaddr.parse(hostname).toByteArray()).buffer }),
      })
    : new pkijs.GeneralName({ type: GENERAL_NAME.dns, value: hostname });

  const certificate = new pkijs.Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1.Integer({ valueHex: serialNumber(random) });
  const commonName = new pkijs.AttributeTypeAndValue({
    type: OID.commonName,
    value: new asn1.Utf8String({ value: hostname.slice(0, LONGEST_COMMON_NAME) }),
  });
  certificate.issuer.typesAndValues.push(commonName);
  certificate.subject.typesAndValues.push(commonName);
  certificate.notBefore.value = new Date(clock.now() - BACKDATED_MS);
  certificate.notAfter.value = new Date(clock.now() + VALID_MS);
  certificate.extensions = [
    extension(OID.subjectAltName, new pkijs.GeneralNames({ names: [name] }).toSchema().toBER(false)),
    extension(OID.basicConstraints, new pkijs.BasicConstraints({ cA: false }).toSchema().toBER(false), true),
  ];
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(keys.privateKey, 'SHA-256');

  return {
    certificate: pem('CERTIFICATE', certificate.toSchema(true).toBER(false)),
    key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
  };
}

/** RFC 5280 4.1.2.2: positive, and at most 20 bytes. */
function serialNumber(random: Random): ArrayBuffer {
  const bytes = Uint8Array.from(random.bytes(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.buffer;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
