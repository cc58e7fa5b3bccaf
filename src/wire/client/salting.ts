/**
 * What SCRAM derives from a password before anything is sent (PBKDF2). It takes a tenth of a second: it runs off the
 * event loop, one at a time for each password, and is cached, as RFC 5802 5.1 allows, until the server uses another
 * salt.
 */
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

/** Rejects only if OpenSSL fails. `password` is SASLprepped, and always the same one. */
export type Salting = (password: string, salt: Uint8Array, iterations: number) => Promise<Uint8Array>;

const derive = promisify(pbkdf2);
const DIGEST_BYTES = 32;

export function createSalting(): Salting {
  let known: { readonly key: string; readonly salted: Promise<Uint8Array> } | undefined;
  return (password, salt, iterations) => {
    const key = `${iterations} ${Buffer.from(salt).toString('base64')}`;
    if (known?.key === key) return known.salted;
    const before = known?.salted.catch(() => undefined) ?? Promise.resolve();
    const salted = before.then(() => derive(password, salt, iterations, DIGEST_BYTES, 'sha256'));
    known = { key, salted };
    return salted;
  };
}
