/**
 * A verification source: a directory elsewhere that knows which users exist, and perhaps their passwords.
 *
 * Three answers, not two: only a definite `no` may refuse mail. A `cannot-tell` is blamed either on the source (it is
 * down, it refuses us) or on the address (it alone cannot be verified now); only one blamed on the source counts
 * against it.
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
      /** The user's main address, if the given one is only one of several. */
      readonly primary?: string;
      readonly aliases?: readonly string[];
      readonly displayName?: string;
      /** It exists, but takes no mail now. */
      readonly unavailable?: 'disabled' | 'full';
    }
  | { readonly kind: 'no' }
  | CannotTell;

export type PasswordAnswer = { readonly kind: 'yes'; readonly primary?: string } | { readonly kind: 'no' } | CannotTell;

/** The address in question, the dialogue to log to, and the signal to stop. */
export interface Question {
  readonly address: Address;
  readonly dialogue: Dialogue;
  readonly signal: AbortSignal;
}

export interface VerificationSource {
  /** May throw if the peer fails: that is a `cannot-tell` blamed on the source. */
  verify(question: Question): Promise<Answer>;
  /** Absent: it has no passwords. `password` is never empty. */
  authenticate?(question: Question, password: string): Promise<PasswordAnswer>;
  /** Whether the server has that address. Absent: it never asks us. */
  isAt?(address: string): Promise<boolean>;
  close(): void;
}

/** The world as sources use it. */
export interface SourceServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolveHost: ResolveHost;
  /** Credentials for a mail server that also gets mail; absent: none. */
  readonly logins?: Pick<ServerLogins, 'of'>;
  /** The name of this node. */
  readonly hostname: string;
  /** Replaces a host of Microsoft: an origin for an origin. */
  readonly microsoft?: (origin: string) => string;
}

export function cannotTell(reason: string, blame: CannotTell['blame'] = 'source'): CannotTell {
  return { kind: 'cannot-tell', reason, blame };
}
