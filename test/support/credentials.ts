/** Credentials over a test's database: the real ones, with real hashes that cost the least Argon2 allows. */
import type { Directory } from '../../src/directory/contract.ts';
import type { PasswordCost } from '../../src/directory/limits.ts';
import { createCredentialAdmin } from '../../src/directory/sign-in/admin.ts';
import { type AskSources, openCredentials } from '../../src/directory/sign-in/credentials.ts';
import { createHashing } from '../../src/directory/sign-in/passwords/hashing.ts';
import type { Tokens } from '../../src/directory/sign-in/tokens/tokens.ts';
import type { Settings } from '../../src/settings/contract.ts';
import type { Database } from '../../src/store/contract.ts';
import { type Clock, systemClock } from '../../src/world/clock.ts';
import { type Random, systemRandom } from '../../src/world/random.ts';
import { OPEN_SECRETS } from './secrets.ts';

export interface CredentialParts {
  readonly settings: Settings;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly askSources?: AskSources;
  readonly resolve?: Directory['resolve'];
  readonly tokens?: Tokens;
}

/**
 * RFC 9106 3.1: no less than 8 KiB a lane. test/directory/sign-in/passwords/password.test.ts tests the cost of the
 * product's hash.
 */
export const CHEAP: PasswordCost = { memoryKiB: 8, passes: 1, parallelism: 1, saltBytes: 16, tagBytes: 32 };

/** `close` ends the hashing threads. */
export async function credentialsOver(database: Database, parts: CredentialParts) {
  const { clock = systemClock, random = systemRandom } = parts;
  const hashing = createHashing(systemClock, { cost: CHEAP });
  const services = { ...parts, secrets: OPEN_SECRETS, clock, random, hashing };
  const credentials = await openCredentials(database, services);
  const admin = createCredentialAdmin(database, services);
  return { credentials, admin, close: () => hashing.close() };
}
