/**
 * Queued mail as operators see it: a row may be due and wait all the same, as its destination backs
 * off, which only the memory knows.
 */
import type { AttemptDetail } from '../contract.ts';
import type { Destinations } from '../dispatch/destinations.ts';
import { idOf, rowId } from '../model/ids.ts';
import type { MessageRow, RecipientRow } from '../rows/tables.ts';

export interface QueuedRow {
  /** Of the recipient's row. */
  readonly id: string;
  readonly messageId: string;
  /** Empty: the null reverse-path. */
  readonly from: string;
  readonly to: string;
  readonly state: RecipientRow['state'];
  readonly class: RecipientRow['hold_class'];
  /** Null unless held. */
  readonly holdReason: string | null;
  /** The check that held it, and the code of its finding; null unless held, or not known. */
  readonly check: string | null;
  readonly code: string | null;
  /** ISO 8601; null unless held. */
  readonly heldAt: string | null;
  /** When it is tried next, ISO 8601; null while held. A time that has passed: it is being tried, or as soon as there is room. */
  readonly due: string | null;
  /** Null unless it waits for its destination, which backs off, longer than for its own turn. */
  readonly waitReason: string | null;
  readonly attempts: number;
  readonly lastReply: string | null;
}

export interface QueuedMessage {
  readonly messageId: string;
  readonly from: string;
  readonly receivedAt: string;
  readonly sizeBytes: number;
  readonly client: string | null;
  readonly recipients: readonly (QueuedRow & { readonly last: unknown })[];
}

/** What the rows do not tell. */
export interface Seen {
  readonly destinations: Pick<Destinations, 'find'>;
  readonly now: number;
}

export function queuedRow(row: RecipientRow, reversePath: string | null, seen: Seen): QueuedRow {
  const last = row.last === null ? undefined : (JSON.parse(row.last) as AttemptDetail);
  const waiting = backOffOf(row, seen);
  return {
    id: rowId(row.message, row.n),
    messageId: idOf(row.message),
    from: reversePath ?? '',
    to: row.address,
    state: row.state,
    class: row.state === 'held' ? row.hold_class : null,
    holdReason: row.state === 'held' ? row.hold_reason : null,
    check: row.state === 'held' ? row.held_check : null,
    code: row.state === 'held' ? row.held_code : null,
    heldAt: row.state === 'held' && row.held_at !== null ? new Date(Number(row.held_at)).toISOString() : null,
    due: row.state === 'held' ? null : new Date(waiting?.until ?? row.due).toISOString(),
    waitReason: waiting?.reason ?? null,
    attempts: row.attempts,
    lastReply: last?.reply ?? null,
  };
}

/** Of a row that nobody has in hand. */
function backOffOf(
  { state, lease, due, destination }: RecipientRow,
  { destinations, now }: Seen,
): { readonly until: number; readonly reason: string } | undefined {
  if (state === 'held' || lease !== null) return undefined;
  const known = destinations.find(destination);
  if (!known || known.retryAt <= Math.max(due, now)) return undefined;
  return { until: known.retryAt, reason: `${destination} backs off: ${known.failure}` };
}

export function queuedMessage(message: MessageRow, recipients: readonly RecipientRow[], seen: Seen): QueuedMessage {
  return {
    messageId: idOf(message.key),
    from: message.reverse_path ?? '',
    receivedAt: new Date(message.received_at).toISOString(),
    sizeBytes: message.size_bytes,
    client: message.client_address,
    recipients: recipients.map((row) => ({
      ...queuedRow(row, message.reverse_path, seen),
      last: row.last === null ? null : JSON.parse(row.last),
    })),
  };
}
