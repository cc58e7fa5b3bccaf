/**
 * A process's memory of sign-ins: passwords that were right, so that the next message costs no hash, and the networks
 * of sign-ins, so that a flood of guesses does not shut out the owner.
 *
 * A guesser with an account of his own would profit from being known, so that status is lost with the first wrong
 * password and bounded for each account. In memory only.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../../world/clock.ts';
import { createCache } from '../../cache.ts';
import {
  FAMILIAR_ACCOUNTS,
  FAMILIAR_NETWORKS,
  KNOWN_AT_ONCE,
  REMEMBERED_ENTRIES,
  REMEMBERED_MS,
} from '../../limits.ts';
import type { Asker } from './hashing.ts';

export interface PasswordMemory {
  /** `stored`: the hash that the password matched. */
  knows(stored: string, password: string): boolean;
  remember(stored: string, password: string): void;
  /** Runs a sign-in as a known or unknown client; `login`: as typed, normalised. */
  judged<T>(login: string, network: string | undefined, judge: (asker: Asker) => Promise<T>): Promise<T>;
  signedIn(login: string, network: string | undefined): void;
  failed(login: string, network: string | undefined): void;
}

export function createPasswordMemory(clock: Clock): PasswordMemory {
  /** Of this process only, so that the cached values are useless to anybody else. */
  const key = randomBytes(32);
  const passwords = createCache<number>(REMEMBERED_ENTRIES);
  /** The latest last. */
  const networks = createCache<readonly string[]>(FAMILIAR_ACCOUNTS);
  /** How many sign-ins of a login are under way as known. */
  const underWay = new Map<string, number>();
  const digest = (stored: string, password: string): string =>
    createHmac('sha256', key).update(`${stored}\0${password}`).digest('base64');

  const isKnown = (login: string, network: string | undefined): boolean =>
    network !== undefined &&
    (underWay.get(login) ?? 0) < KNOWN_AT_ONCE &&
    networks.get(login)?.includes(network) === true;

  return {
    knows(stored, password) {
      const until = passwords.get(digest(stored, password));
      return until !== undefined && until > clock.monotonic();
    },
    remember(stored, password) {
      passwords.set(digest(stored, password), clock.monotonic() + REMEMBERED_MS);
    },
    async judged(login, network, judge) {
      if (!isKnown(login, network)) return judge('unknown');
      underWay.set(login, (underWay.get(login) ?? 0) + 1);
      try {
        return await judge('known');
      } finally {
        const left = underWay.get(login)! - 1;
        if (left > 0) underWay.set(login, left);
        else underWay.delete(login);
      }
    },
    signedIn(login, network) {
      if (network === undefined) return;
      const others = (networks.get(login) ?? []).filter((known) => known !== network);
      networks.set(login, [...others, network].slice(-FAMILIAR_NETWORKS));
    },
    failed(login, network) {
      const known = networks.get(login);
      if (network !== undefined && known?.includes(network))
        networks.set(
          login,
          known.filter((other) => other !== network),
        );
    },
  };
}
