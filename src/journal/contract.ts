/**
 * The journal: what happened. `log.db`, written by a thread in groups of at most a second.
 *
 * Recording never waits and never throws; what cannot be written is counted, kept within a bound and
 * told by an event. `durable()` lets the queue purge settled rows only after their journal rows are on disk.
 */

import type { JournalDetail } from '../model/journal-detail.ts';
import type { SessionFacts } from '../model/session.ts';
import type { MessageRow, RecipientRow } from './record.ts';

export interface SessionRecord {
  readonly facts: SessionFacts;
  readonly endedAt: number;
  readonly end: 'quit' | 'closed-by-client' | 'closed-by-us' | 'timeout' | 'refused' | 'lost' | 'shutdown';
  /** Commands outside a transaction; C:/S: lines, bounded, credentials redacted. */
  readonly dialogue: string;
  readonly messagesAccepted: number;
  readonly reason?: string;
}

export interface MessageRecord {
  readonly id: string;
  readonly at: number;
  readonly session?: string;
  readonly direction: 'inbound' | 'internal' | 'outbound' | 'refused';
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly clientAddress?: string;
  readonly sizeBytes: number;
  readonly recipients: readonly {
    readonly address: string;
    readonly original?: string;
    readonly disposition: string;
    readonly reason?: string;
  }[];
  readonly detail: JournalDetail;
  /** Of a refused one: `550 5.1.1` and so on, for where only a count of it is kept. */
  readonly replies?: readonly string[];
}

/** A change of one recipient: a try, a hold, a release, a final state. */
export interface RecipientRecord {
  readonly message: string;
  readonly recipient: string;
  readonly at: number;
  readonly state: string;
  readonly by?: string;
  readonly host?: string;
  readonly address?: string;
  readonly tls?: string;
  readonly status?: string;
  readonly reply?: string;
  /** Hosts of the same try before this one, oldest first; absent where there was none. */
  readonly earlier?: readonly {
    readonly host: string;
    readonly address: string;
    readonly tls?: string;
    readonly reply: string;
  }[];
}

export interface AuditRecord {
  readonly at: number;
  readonly actor: string;
  readonly operation: string;
  readonly input: string;
  readonly result: 'done' | 'refused' | 'failed';
  readonly detail?: string;
}

/** A record flattened once (record.ts), for who also keeps it elsewhere. */
export type { MessageRow, RecipientRow } from './record.ts';

export interface Journal {
  session(record: SessionRecord): void;
  message(record: MessageRecord | MessageRow): number;
  recipient(record: RecipientRecord | RecipientRow): number;
  audit(record: AuditRecord): void;
  /** The highest number returned above that is on disk. */
  durable(): number;
  onDurable(listener: (upTo: number) => void): () => void;
  flush(): Promise<void>;
  close(): Promise<void>;
}
