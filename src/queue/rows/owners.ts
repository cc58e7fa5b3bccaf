/**
 * Owners of content beside the queue's recipients (ContentOwners): one row for each, written in the unit of
 * the owner's own rows. The last to end, recipient or owner, removes content, file and message.
 */
import { OperationalError } from '../../model/errors.ts';
import { memoryContent } from '../../store/blobs/memory-content.ts';
import type { ContentOwners, Statement } from '../../store/contract.ts';
import { keyOf } from '../model/ids.ts';
import { markOf } from '../model/nodes.ts';
import type { QueueParts } from '../parts.ts';
import { type QueueStatements, rowsOf } from './statements.ts';
import type { ContentRow, MessageRow } from './tables.ts';

export interface OwnerParts extends Pick<QueueParts, 'database' | 'blobs'> {
  /** Who made a message and has it in its log. */
  nodeOf(key: number): number;
}

export interface OpenContentOwners extends ContentOwners {
  /** Deletes message rows that outlived their last owner, as the journal did not have them yet. Errors: as of a write. */
  sweepMessages(): Promise<void>;
}

export function createContentOwners({ database, blobs, nodeOf }: OwnerParts, sql: QueueStatements): OpenContentOwners {
  /** A start finds them by their settled rows. */
  const outliving = new Set<number>();
  const keyFor = (message: string): number => {
    const key = keyOf(message);
    if (key === undefined) throw missing(message);
    return key;
  };
  const isOver = (message: number): Statement => sql.deleteMessageIfOver({ message, mark: markOf(nodeOf(message)) });
  const locked = (message: number): readonly Statement[] =>
    database.dialect === 'postgres' ? [sql.lockMessage({ message })] : [];

  return {
    keep(message, owner) {
      const key = keyFor(message);
      return [...locked(key), sql.keepContent({ message: key, owner })];
    },
    async release(message, owner, also = []) {
      const key = keyFor(message);
      const end = sql.deleteContentIfLast({ message: key });
      const release = sql.releaseContent({ message: key, owner });
      const unit = [...also, ...locked(key), release, end, isOver(key)];
      const results = await database.write(unit);
      const { rows, changes } = results[unit.length - 2]!;
      if (changes === 1 && results[unit.length - 1]!.changes === 0) outliving.add(key);
      const [gone] = rowsOf<{ blob: string | null }>(rows);
      // A file that stays behind is swept.
      if (gone?.blob) await blobs.delete(gone.blob).catch(() => undefined);
    },
    async sweepMessages() {
      for (const message of outliving) {
        await database.write([isOver(message)]);
        outliving.delete(message);
      }
    },
    async open(message) {
      const key = keyFor(message);
      const [row] = rowsOf<ContentRow>(await database.read(sql.content({ message: key })));
      const [facts] = rowsOf<MessageRow>(await database.read(sql.message({ message: key })));
      if (!row || !facts) throw missing(message);
      return row.bytes ? memoryContent(row.bytes) : blobs.open(row.blob ?? '', facts.size_bytes, facts.sha256);
    },
  };
}

function missing(message: string): OperationalError {
  return new OperationalError('content.missing', `cannot find the content of ${message}, as somebody must keep it`);
}
