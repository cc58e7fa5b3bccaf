/**
 * DKIM signatures over the scanned message: one a key, computed in libuv's pool (0.5 ms of an RSA key, off the loop).
 */
import { createHash, sign } from 'node:crypto';
import type { SigningKey } from '../../directory/signing-keys/dkim-keys.ts';
import { selectFields } from '../../protocol/dkim/fields.ts';
import { draftDkim, finish, type SignatureDraft } from '../../protocol/dkim/signature.ts';
import type { Scanned } from './scan.ts';

/** The fields, each with CRLF, the first key's on top. */
export async function dkimFields(
  { header, bodyHash }: Scanned,
  keys: readonly SigningKey[],
  nowMs: number,
  lifeMs: number,
): Promise<string> {
  const { names, canonical } = selectFields(header.fields);
  const signedAt = Math.floor(nowMs / 1000);
  const expiresAt = signedAt + Math.floor(lifeMs / 1000);
  const fields = await Promise.all(
    keys.map((key) => {
      const { algorithm, domain, selector } = key;
      const tags = { algorithm, domain, selector, signedAt, expiresAt, bodyHash, names };
      return signed(draftDkim(tags, canonical), key);
    }),
  );
  return fields.join('');
}

export async function signed(draft: SignatureDraft, { algorithm, key }: SigningKey): Promise<string> {
  const covered = Buffer.from(draft.covered, 'latin1');
  // RFC 8463 3: Ed25519 signs the SHA-256 of the data that RSA signs.
  const made =
    algorithm === 'rsa-sha256'
      ? await signature('sha256', covered, key)
      : await signature(null, createHash('sha256').update(covered).digest(), key);
  return finish(draft, made);
}

function signature(digest: string | null, data: Buffer, key: SigningKey['key']): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(digest, data, key, (error, made) => (error ? reject(error) : resolve(made)));
  });
}
