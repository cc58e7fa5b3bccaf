/** What belongs to rows under a lease of ours: their message and its content. */
import type { ContentRef } from '../../model/content.ts';
import { memoryContent } from '../../store/blobs/memory-content.ts';
import type { Leased } from '../dispatch/active-claims.ts';
import { loggedMessageOf } from '../journal/records.ts';
import { idOf } from '../model/ids.ts';
import type { NodeParts, QueueParts } from '../parts.ts';
import { activeRecipient, claimedMessage } from './rows.ts';
import { type QueueStatements, rowsOf } from './statements.ts';
import type { ContentRow, MessageRow, RecipientRow } from './tables.ts';
import type { LeasedVariant } from './variants.ts';

/** `rows`: of one message. Undefined, and told, where it has no message row: a defect that must not stop the others. */
export async function readLeased(
  { database, blobs, events, isForeign }: NodeParts,
  sql: QueueStatements,
  lease: string,
  rows: readonly RecipientRow[],
): Promise<(Leased & { readonly trace: string }) | undefined> {
  const key = rows[0]!.message;
  const [message] = rowsOf<MessageRow>(await database.read(sql.message({ message: key })));
  if (!message) {
    events.emit('queue.content-lost', { message: idOf(key), code: 'content.missing', detail: 'it has no message row' });
    return undefined;
  }
  const { content, blob } = await contentOf({ database, blobs }, sql, message);
  return {
    lease,
    key,
    message: claimedMessage(message),
    detail: { subject: message.subject ?? undefined, messageIdHeader: message.message_id ?? undefined },
    content,
    recipients: rows.map(activeRecipient),
    ...(blob && { blob }),
    variants: leasedVariants(rows),
    forged: message.forged === 1,
    trace: message.trace,
    ...(isForeign(key) && { logged: loggedMessageOf(message) }),
  };
}

/** Nobody has looked what they are: whether they have splices shows when they end. */
function leasedVariants(rows: readonly RecipientRow[]): readonly LeasedVariant[] {
  const found = new Set<number>();
  for (const { variant } of rows) if (variant !== null) found.add(variant);
  return Array.from(found, (v) => ({ v, maySplice: true, files: [] }));
}

/** `blob`: the file that it is in. */
export async function contentOf(
  { database, blobs }: Pick<QueueParts, 'database' | 'blobs'>,
  sql: QueueStatements,
  { key, size_bytes, sha256 }: MessageRow,
): Promise<{ readonly content: ContentRef; readonly blob: string | undefined }> {
  const [row] = rowsOf<ContentRow>(await database.read(sql.content({ message: key })));
  // Without bytes and without a file's name, it is a file that does not exist: reading it fails with that.
  const blob = row?.bytes ? undefined : (row?.blob ?? '');
  return { content: blob === undefined ? memoryContent(row!.bytes!) : blobs.open(blob, size_bytes, sha256), blob };
}
