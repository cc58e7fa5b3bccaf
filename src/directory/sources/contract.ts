/**
 * A verification source: somebody who knows which users exist, and perhaps their passwords.
 *
 * Three answers, not two: only a definite `no` may refuse mail. What a source cannot tell is blamed
 * on the source (it is down, it refuses us) or on the address (it alone cannot be told now); only the
 * former counts against the source.
 */
import type { Address } from '../../model/address.ts';
import type { Clock } from '../../world/clock.ts';
import type { ResolveHost } from '../../world/hosts-file.ts';
import type { Random } from '../../world/random.ts';
import type { ServerLogins } from '../servers/logins.ts';
import type { Dialogue } from './dialogue.ts';

export interface CannotTell {
  readonly kind: 'cannot-tell';
  readonly reason: string;
  readonly blame: 'source' | 'address';
}

export type Answer =
  | {
      readonly kind: 'yes';
      /** The user's main address, where the one that was asked for is only one of several. */
      readonly primary?: string;
      readonly aliases?: readonly string[];
      readonly displayName?: string;
      /** It exists, and takes no mail now. */
      readonly unavailable?: 'disabled' | 'full';
    }
  | { readonly kind: 'no' }
  | CannotTell;

export type PasswordAnswer = { readonly kind: 'yes'; readonly primary?: string } | { readonly kind: 'no' } | CannotTell;

/** What is asked about, where what is said is noted, and when to stop. */
export interface Question {
  readonly address: Address;
  readonly dialogue: Dialogue;
  readonly signal: AbortSignal;
}

export interface VerificationSource {
  /** May throw where the peer fails: that is a `cannot-tell` blamed on the source. */
  verify(question: Question): Promise<Answer>;
  /** Absent: it knows no passwords. `password` is never empty. */
  authenticate?(question: Question, password: string): Promise<PasswordAnswer>;
  /** Whether the server has that address. Absent: it asks nobody back. */
  isAt?(address: string): Promise<boolean>;
  close(): void;
}

/** What sources reach the world with. */
export interface SourceServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolveHost: ResolveHost;
  /** Whom to sign in as to a mail server that mail goes to as well; absent: nobody. */
  readonly logins?: Pick<ServerLogins, 'of'>;
  /** How this node calls itself. */
  readonly hostname: string;
  /** Where a host of Microsoft's is instead: an origin for an origin. */
  readonly microsoft?: (origin: string) => string;
}

export function cannotTell(reason: string, blame: CannotTell['blame'] = 'source'): CannotTell {
  return { kind: 'cannot-tell', reason, blame };
}
