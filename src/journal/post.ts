/** What the journal and its writing thread say to each other. */
import type { EventFields } from '../world/events.ts';
import type { Batch } from './batch.ts';
import type { Retention } from './expire.ts';

export interface ThreadOptions {
  readonly path: string;
  readonly retention: Retention;
}

export type ToThread =
  | { readonly kind: 'rows'; readonly number: number; readonly batch: Batch }
  /** Commit now what came so far, and answer `flushed` whether it worked or not. */
  | { readonly kind: 'flush'; readonly token: number }
  | { readonly kind: 'retention'; readonly retention: Retention }
  | { readonly kind: 'close' };

type JournalEvent = Extract<
  keyof typeof import('./events.ts').journalEvents,
  | 'journal.unwritable'
  | 'journal.writable'
  | 'journal.damaged'
  | 'journal.rejected'
  | 'journal.trimmed'
  | 'journal.too-large'
>;

export interface LogSize {
  /** Of log.db: pages that hold something. */
  readonly usedBytes: number;
  readonly maxBytes: number;
}

export type FromThread =
  | { readonly kind: 'ready' }
  /** The log cannot be opened at all, and waiting does not help: the schema is newer. */
  | { readonly kind: 'unusable'; readonly code: string; readonly message: string }
  /** Every batch up to this one is on disk (or was rejected, with an event). */
  | { readonly kind: 'written'; readonly batch: number }
  | { readonly kind: 'flushed'; readonly token: number }
  /** Now and then. */
  | { readonly kind: 'size'; readonly size: LogSize }
  | {
      readonly [N in JournalEvent]: { readonly kind: 'event'; readonly name: N; readonly fields: EventFields<N> };
    }[JournalEvent]
  | { readonly kind: 'closed' };
