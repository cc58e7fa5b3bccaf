/** What an operator may do with queued mail; the queue does it, in its own transactions. */

import type { Address } from '../model/address.ts';
import type { HoldClass } from '../model/finding.ts';
import type { ActiveState } from '../queue/contract.ts';

export interface QueuedRow {
  /** Of the recipient's row. */
  readonly id: string;
  readonly messageId: string;
  /** Empty: the null reverse-path. */
  readonly from: string;
  readonly to: string;
  readonly state: ActiveState;
  readonly class: HoldClass | null;
  /** ISO 8601; null while held. */
  readonly due: string | null;
  readonly attempts: number;
  readonly lastReply: string | null;
}

export interface QueuedMessage {
  readonly messageId: string;
  readonly from: string;
  readonly receivedAt: string;
  readonly sizeBytes: number;
  readonly client: string | null;
  readonly recipients: readonly (QueuedRow & { readonly holdReason: string | null; readonly last: unknown })[];
}

export interface QueueFilter {
  readonly state?: ActiveState;
  readonly class?: HoldClass;
  /** An address, or a domain. */
  readonly to?: string;
  readonly from?: string;
}

/** Rows by their ids, all rows of messages by theirs, or all that the filter finds. */
export type QueueSelection = { readonly ids: readonly string[] } | { readonly filter: QueueFilter };

export interface QueuePage {
  readonly limit?: number;
  readonly cursor?: string;
}

/** Each act returns how many rows it changed; `by` goes to the journal. */
export interface QueueDesk {
  list(
    filter: QueueFilter,
    page: QueuePage,
  ): Promise<{ readonly rows: readonly QueuedRow[]; readonly cursor?: string }>;
  show(messageId: string): Promise<QueuedMessage | undefined>;
  counts(): Promise<{ readonly queued: number; readonly held: number }>;
  retry(selection: QueueSelection, by: string): Promise<number>;
  hold(selection: QueueSelection, reason: string, by: string): Promise<number>;
  release(selection: QueueSelection, by: string): Promise<number>;
  redirect(selection: QueueSelection, to: Address, by: string): Promise<number>;
  bounce(selection: QueueSelection, reason: string, by: string): Promise<number>;
  delete(selection: QueueSelection, by: string): Promise<number>;
}
