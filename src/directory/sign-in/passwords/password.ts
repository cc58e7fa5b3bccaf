/**
 * Passwords are kept as Argon2id (RFC 9106), a PHC string. Hashing takes a quarter of a second and
 * 64 MB, in a thread (hashing.ts). Errors: OperationalError `directory.busy`.
 */
import { timingSafeEqual } from 'node:crypto';
import { ARGON2_BOUNDS } from '../../limits.ts';
import type { Asker, Hashing } from './hashing.ts';

/** Equal passwords are equal bytes in this form (RFC 8265 4.2.1: NFC). */
export function normalPassword(password: string): string {
  return password.normalize('NFC');
}

export async function hashPassword(
  hashing: Hashing,
  password: string,
  randomBytes: (count: number) => Uint8Array,
): Promise<string> {
  const { memoryKiB, passes, parallelism, saltBytes, tagBytes } = hashing.cost;
  const salt = randomBytes(saltBytes);
  const parameters = { memoryKiB, passes, parallelism, tagBytes };
  const tag = await hashing.run({ kind: 'argon2id', password: normalPassword(password), salt, ...parameters });
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
}

/** False also for a PHC string that is not ours, or that asks for too much work. */
export async function verifyPassword(
  hashing: Hashing,
  password: string,
  phc: string,
  asker: Asker = 'known',
  site?: string,
): Promise<boolean> {
  const parsed = parsePhc(phc);
  if (!parsed) return false;
  const { tag, ...parameters } = parsed;
  const job = { kind: 'argon2id', password: normalPassword(password), ...parameters } as const;
  const computed = await hashing.run(job, asker, site);
  const isRight = timingSafeEqual(computed, tag);
  if (asker === 'unknown') hashing.checked(isRight);
  return isRight;
}

/** The same work without an account, so that another answer takes as long as a wrong password. */
export async function spendHash(hashing: Hashing, password: string, site?: string): Promise<void> {
  const { memoryKiB, passes, parallelism, saltBytes, tagBytes } = hashing.cost;
  const salt = Buffer.alloc(saltBytes);
  const job = { password: normalPassword(password), salt, memoryKiB, passes, parallelism, tagBytes };
  await hashing.run({ kind: 'argon2id', ...job }, 'unknown', site);
}

/** Whether guessers try it first (common-passwords.ts). */
export async function isTriedFirst(hashing: Hashing, password: string): Promise<boolean> {
  const [answer] = await hashing.run({ kind: 'common', password });
  return answer === 1;
}

function parsePhc(phc: string) {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/.exec(phc);
  if (!match) return undefined;
  const [memoryKiB, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (memoryKiB > ARGON2_BOUNDS.memoryKiB || passes > ARGON2_BOUNDS.passes || parallelism < 1) return undefined;
  const tag = Buffer.from(match[5]!, 'base64');
  return { memoryKiB, passes, parallelism, salt: Buffer.from(match[4]!, 'base64'), tag, tagBytes: tag.length };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
