/**
 * Passwords are kept as Argon2id (RFC 9106), a PHC string. Hashing takes a quarter of a second and
 * 64 MB, so it has a thread of its own, which ends with it: never the event loop, nor the pool that
 * fsync needs. Errors: OperationalError `directory.password`.
 */
import { Worker } from 'node:worker_threads';
import { OperationalError } from '../model/errors.ts';
import { ARGON2, PASSWORD_CHARACTERS } from './limits.ts';

export interface HashJob {
  readonly password: string;
  readonly salt: Uint8Array;
}

export async function hashPassword(password: string, randomBytes: (count: number) => Uint8Array): Promise<string> {
  const normal = acceptable(password);
  const salt = randomBytes(ARGON2.saltBytes);
  const tag = await hashInThread({ password: normal, salt });
  const { memoryKiB, passes, parallelism } = ARGON2;
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
}

/** In the form in which equal passwords are equal bytes (RFC 8265 4.2.1: NFC). */
function acceptable(password: string): string {
  const normal = password.normalize('NFC');
  const characters = [...normal].length;
  const { least, most } = PASSWORD_CHARACTERS;
  if (characters >= least && characters <= most) return normal;
  throw new OperationalError(
    'directory.password',
    `cannot set the password, as it must be ${least} to ${most} characters long: it has ${characters}`,
  );
}

function hashInThread(job: HashJob): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const thread = new Worker(new URL('./password-thread.ts', import.meta.url), { workerData: job });
  thread.once('message', resolve);
  thread.once('error', reject);
  thread.once('exit', (code) => reject(new Error(`the hashing thread ended with ${code}`)));
  return promise;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
