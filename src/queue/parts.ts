/** What the queue is made of and needs of the rooms below; handed to each of its files. */
import type { Directory } from '../directory/contract.ts';
import type { Journal } from '../journal/contract.ts';
import type { Settings } from '../settings/contract.ts';
import type { Blobs, Database, Ledger } from '../store/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { Random } from '../world/random.ts';

export interface QueueParts {
  /**
   * This node's number, if others share the database: leases of others live until they expire.
   * Absent: the database is this node's alone.
   */
  readonly sharedAs?: number;
  readonly database: Database;
  readonly blobs: Blobs;
  /** Absent: nothing is inline, as other nodes do not see what is in a ledger. */
  readonly ledger?: Ledger;
  readonly journal: Journal;
  readonly settings: Settings;
  /** Where reports go whose sender is local. */
  readonly directory: Pick<Directory, 'resolve'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  /** Ours: Reporting-MTA of reports, and the domain of their sender. */
  readonly hostname: string;
}

/** Of an open queue. */
export interface NodeParts extends QueueParts {
  /** Another node made the message of this key, and has it in its log. */
  isForeign(key: number): boolean;
}
