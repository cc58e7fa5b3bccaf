/** What the queue is made of and needs of the rooms below; handed to each of its files. */
import type { Directory } from '../directory/contract.ts';
import type { Journal } from '../journal/contract.ts';
import type { Settings } from '../settings/contract.ts';
import type { Blobs, Database, Ledger } from '../store/contract.ts';
import type { Clock } from '../world/clock.ts';
import type { Events } from '../world/events.ts';
import type { Random } from '../world/random.ts';

export interface QueueParts {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly ledger: Ledger;
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
