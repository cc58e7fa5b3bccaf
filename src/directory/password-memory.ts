/**
 * What a process remembers of sign-ins: passwords that were right, so that the next message costs no
 * hash, and from where an account signed in, so that a flood of guesses does not shut out its owner.
 * In memory only, and bounded.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../world/clock.ts';
import { createCache } from './cache.ts';
import { FAMILIAR_ENTRIES, REMEMBERED_ENTRIES, REMEMBERED_MS } from './limits.ts';

export interface PasswordMemory {
  /** `stored`: the hash that it was right for. */
  knows(stored: string, password: string): boolean;
  remember(stored: string, password: string): void;
  signedIn(account: string, network: string | undefined): void;
  isFamiliar(account: string, network: string | undefined): boolean;
}

export function createPasswordMemory(clock: Clock): PasswordMemory {
  /** Of this process only: what is remembered is of no use to anyone else. */
  const key = randomBytes(32);
  const passwords = createCache<number>(REMEMBERED_ENTRIES);
  const networks = createCache<true>(FAMILIAR_ENTRIES);
  const digest = (stored: string, password: string): string =>
    createHmac('sha256', key).update(`${stored}\0${password}`).digest('base64');
  return {
    knows(stored, password) {
      const until = passwords.get(digest(stored, password));
      return until !== undefined && until > clock.monotonic();
    },
    remember(stored, password) {
      passwords.set(digest(stored, password), clock.monotonic() + REMEMBERED_MS);
    },
    signedIn(account, network) {
      if (network !== undefined) networks.set(`${account} ${network}`, true);
    },
    isFamiliar: (account, network) => network !== undefined && networks.get(`${account} ${network}`) === true,
  };
}
