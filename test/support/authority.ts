/**
 * A certificate authority of the tests' own, like one of an organisation: certificates that it signs are trusted only
 * by its own certificate.
 */
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { Integer, OctetString, Utf8String } from 'asn1js';
import ipaddr from 'ipaddr.js';
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  GeneralName,
  GeneralNames,
  type RelativeDistinguishedNames,
} from 'pkijs';

export interface Pair {
  /** PEM, both. */
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** `name`: a host name or an address. `endedMs`: how long ago it expired. */
  issue(name: string, options?: { readonly endedMs?: number }): Promise<Pair>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const DAY_MS = 86_400_000;
const OID = { commonName: '2.5.4.3', subjectAltName: '2.5.29.17', basicConstraints: '2.5.29.19' } as const;

export async function createAuthority(name = 'The tests’ authority'): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const own = blank(name);
  own.issuer.typesAndValues.push(commonName(name));
  own.extensions = [constraints(true)];
  await own.subjectPublicKeyInfo.importKey(keys.publicKey);
  await own.sign(keys.privateKey, 'SHA-256');
  return {
    certificate: pem('CERTIFICATE', own.toSchema(true).toBER(false)),
    async issue(host, { endedMs } = {}) {
      const pair = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const issued = blank(host);
      if (endedMs !== undefined) issued.notAfter.value = new Date(Date.now() - endedMs);
      issued.issuer = own.subject as RelativeDistinguishedNames;
      issued.extensions = [constraints(false), alternativeName(host)];
      await issued.subjectPublicKeyInfo.importKey(pair.publicKey);
      await issued.sign(keys.privateKey, 'SHA-256');
      return {
        certificate: pem('CERTIFICATE', issued.toSchema(true).toBER(false)),
        key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', pair.privateKey)),
      };
    },
  };
}

function blank(name: string): Certificate {
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new Integer({ valueHex: Uint8Array.from([0x40, ...randomBytes(15)]).buffer });
  certificate.subject.typesAndValues.push(commonName(name));
  certificate.notBefore.value = new Date(Date.now() - 30 * DAY_MS);
  certificate.notAfter.value = new Date(Date.now() + 30 * DAY_MS);
  return certificate;
}

function commonName(name: string): AttributeTypeAndValue {
  return new AttributeTypeAndValue({ type: OID.commonName, value: new Utf8String({ value: name }) });
}

function constraints(cA: boolean): Extension {
  const extnValue = new BasicConstraints({ cA }).toSchema().toBER(false);
  return new Extension({ extnID: OID.basicConstraints, critical: true, extnValue });
}

/** GeneralName choices, RFC 5280 4.2.1.6. */
function alternativeName(host: string): Extension {
  const name = isIP(host)
    ? new GeneralName({
        type: 7,
        value: new OctetString({ valueHex: Uint8Array.from(ipaddr.parse(host).toByteArray()).buffer }),
      })
    : new GeneralName({ type: 2, value: host });
  const extnValue = new GeneralNames({ names: [name] }).toSchema().toBER(false);
  return new Extension({ extnID: OID.subjectAltName, extnValue });
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
