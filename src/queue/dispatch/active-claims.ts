/** Claims that are ours: from the lease on disk until they are settled or given back. */
import type { MessageRow as LoggedMessage } from '../../journal/contract.ts';
import type { ContentRef } from '../../model/content.ts';
import type { HoldClass } from '../../model/finding.ts';
import type { JournalDetail } from '../../model/journal-detail.ts';
import type { Claim, HoldEnd, QueueState } from '../contract.ts';
import type { ClaimState } from '../model/states.ts';
import type { ActiveRecipient } from '../rows/rows.ts';
import type { LeasedVariant } from '../rows/variants.ts';
import type { DestinationState } from './destinations.ts';

/** What a report names a message by. */
export type MessageNames = Pick<JournalDetail, 'subject' | 'messageIdHeader'>;

/** How something is to be held. */
export interface Hold {
  readonly class: HoldClass;
  readonly reason: string;
  /** Absent: until somebody decides. */
  readonly until?: HoldEnd;
  /** Who asked. */
  readonly by?: string;
}

/** Rows of one message under a lease of ours. */
export interface Leased {
  readonly lease: string;
  /** Of the message. */
  readonly key: number;
  readonly message: Claim['message'];
  /** Its row may not be there to be asked: it goes into the database together with what became of it. */
  readonly detail: MessageNames;
  readonly content: ContentRef;
  readonly recipients: readonly ActiveRecipient[];
  /** The content file, where it is one. */
  readonly blob?: string;
  /** What its recipients have of them, each once; of what is to be delivered, one or none. */
  readonly variants: readonly LeasedVariant[];
  readonly forged: boolean;
  /** The journal's row of the message, if another node made it: this node's log needs it too. */
  readonly logged?: LoggedMessage;
  /** What of it does not end is held, instead of waiting again. */
  hold?: Hold & { onHeld(rows: number): void };
}

/** Leased to be delivered. */
export interface ActiveClaim extends Leased {
  readonly claim: Claim;
  readonly destination: DestinationState;
  /** Bytes of content held in memory for it, where they are not the store's to count. */
  readonly bytes: number;
  /** Lets go of content that the store keeps in memory beside its file; to be called when the active claim is over. */
  readonly release?: () => void;
  leasedAt: number;
  /** What became of those of its rows that an operator took. */
  takenAway?: Map<number, QueueState>;
  /** Called when it is over. */
  onOver?: () => void;
  phase: ClaimState;
}

/** Leases name the node and its start (model/nodes.ts), so that the next start knows whose they were. */
export function createLeases(start: string): () => string {
  let count = 0;
  return () => `${start}.${++count}`;
}
