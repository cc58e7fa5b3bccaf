/**
 * DKIM keys and signatures of other domains, for tests and the demo; made by mailauth, so that they can be a witness.
 */
import { generateKeyPairSync } from 'node:crypto';

export interface StrangersKey {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: string;
  /** The name of the record, and its text. */
  readonly name: string;
  readonly record: string;
}

export function rsaKey(domain: string, selector: string, bits = 2048): StrangersKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return {
    domain,
    selector,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    name: `${selector}._domainkey.${domain}`,
    record: `v=DKIM1; k=rsa; p=${der}`,
  };
}

export interface SignOptions {
  readonly canonicalization?: string;
  readonly maxBodyLength?: number;
  readonly signTime?: Date;
  readonly expires?: Date;
  readonly headerList?: string;
}

/** The message with one more DKIM-Signature on top. */
export async function sign(message: string, key: StrangersKey, options: SignOptions = {}): Promise<string> {
  const { dkimSign } = await import('mailauth/lib/dkim/sign.js');
  const { signTime = new Date(Date.UTC(2026, 0, 4)), canonicalization = 'relaxed/relaxed', ...rest } = options;
  const { signatures, errors } = await dkimSign(Buffer.from(message, 'latin1'), {
    canonicalization,
    signTime,
    ...rest,
    signatureData: [
      {
        signingDomain: key.domain,
        selector: key.selector,
        privateKey: key.privateKey,
        algorithm: 'rsa-sha256',
        canonicalization,
        ...(rest.maxBodyLength !== undefined && { maxBodyLength: rest.maxBodyLength }),
      },
    ],
  } as Parameters<typeof dkimSign>[1]);
  if (errors?.length) throw errors[0]?.err ?? new Error('cannot sign');
  return signatures + message;
}
