/** What a check observed (evidence), what it concludes (finding), and what happens to a recipient (disposition). */
import type { Reply } from './reply.ts';

export type Stage = 'connect' | 'ehlo' | 'auth' | 'mail' | 'rcpt' | 'message';

/** Evidence is plain JSON: it is stored with the message, and `judge` is replayed over it. */
export type Evidence = { readonly [key: string]: Json };
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type Outcome = 'pass' | 'fail' | 'none' | 'error';

/** The action that a check asks for; decide.ts makes one disposition a recipient of all actions. */
export type Action = 'accept' | 'refuse' | 'defer' | 'quarantine-user' | 'quarantine-admin' | 'redirect' | 'discard';

export interface Finding {
  /** The check's id. */
  readonly check: string;
  readonly outcome: Outcome;
  /** From the check's closed list, e.g. `unknown-recipient`. */
  readonly code: string;
  /** For an administrator: a sentence. */
  readonly text: string;
  readonly score?: number;
  readonly action?: Action;
  /** The new recipient, when `action` is redirect. */
  readonly redirectTo?: string;
  /** The reply to the sender when `action` is refuse or defer. */
  readonly reply?: Reply;
}

export type HoldClass = 'user' | 'admin' | 'operator';

/** What held a recipient: the check and the code of its finding; the queue and an operator stand beside the checks. */
export interface HeldBy {
  readonly check: string;
  readonly code: string;
}

export type Disposition =
  | { readonly kind: 'accept' }
  /** `tellSender`: a late refusal of a sender whom we know: a failure DSN with this reply goes out. */
  | {
      readonly kind: 'hold';
      readonly class: HoldClass;
      readonly reason: string;
      readonly by: HeldBy;
      readonly tellSender?: Reply;
    }
  | { readonly kind: 'redirect'; readonly to: string; readonly reason: string }
  | { readonly kind: 'discard'; readonly reason: string }
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly reason: string }
  | { readonly kind: 'defer'; readonly reply: Reply; readonly reason: string };

/** The direction of a message for one recipient (architecture, section 3). */
export type Direction = 'inbound' | 'internal' | 'outbound';
