/**
 * What the ledger of earlier runs holds goes into the database before the queue begins, as rows that
 * wait or, where a message was delivered but perhaps not journaled, as settled ones.
 *
 * A message whose row is there has spilled before: its note was cut off by the crash.
 */
import type { RecipientRow as LoggedRecipient } from '../../journal/contract.ts';
import type { Statement } from '../../store/contract.ts';
import { RECOVERED_BYTES, RECOVERY_ROWS } from '../limits.ts';
import { FIRST_NODE, markOf } from '../model/nodes.ts';
import type { QueueParts } from '../parts.ts';
import { policyDomain } from '../rows/held.ts';
import { contentColumns } from '../rows/rows.ts';
import { type QueueStatements, rowsOf } from '../rows/statements.ts';
import { variantUnit } from '../rows/variants.ts';
import { type Accepted, decodeNote, isAccepted, type Note } from './notes.ts';

export interface RecoveredLedger {
  /** Messages that were not over. */
  readonly found: number;
  /** Of all messages that it knew. */
  readonly highestKey: number;
}

/** `mark` and `seq`: the journal's mark, and the highest number of a settled row. */
export async function recoverLedger(
  { database, ledger, sharedAs = FIRST_NODE }: QueueParts,
  sql: QueueStatements,
  { mark, seq }: { readonly mark: number; readonly seq: number },
): Promise<RecoveredLedger> {
  if (!ledger) return { found: 0, highestKey: 0 };
  const ended = new Map<number, readonly LoggedRecipient[]>();
  const over = new Set<number>();
  await ledger.replay((record) => {
    const note = noteBehindAccepted(record);
    if (note?.kind === 'ended') ended.set(note.key, note.rows);
    if (note?.kind === 'over') for (const key of note.keys) over.add(key);
  });

  let found = 0;
  let highestKey = 0;
  let lastSeq = seq;
  let unit: Statement[] = [];
  let bytes = 0;
  const write = async (): Promise<void> => {
    if (unit.length > 0) await database.write(unit);
    unit = [];
    bytes = 0;
  };

  const settle = ({ message }: Accepted, rows: readonly LoggedRecipient[]): void => {
    for (const row of rows)
      unit.push(sql.insertSettled({ seq: ++lastSeq, message: message.key, record: JSON.stringify(row) }));
  };
  const queue = ({ message, recipients, variant, content }: Accepted): void => {
    for (const recipient of recipients) {
      const { direction, address, domain } = recipient;
      // A note of an earlier version has none.
      const known = domain ?? policyDomain(direction, address, message.reverse_path);
      unit.push(sql.insertRecipient({ ...recipient, domain: known }));
    }
    if (variant) unit.push(...variantUnit(sql, variant));
    unit.push(sql.insertContent({ message: message.key, ...contentColumns(content) }));
  };

  await ledger.replay(async (record) => {
    const note = decodeNote(record);
    if (note.kind !== 'accepted') return;
    const { key } = note.message;
    highestKey = Math.max(highestKey, key);
    if (over.has(key)) return;
    if (rowsOf(await database.read(sql.message({ message: key }))).length > 0) return;
    found++;
    unit.push(sql.insertMessage(note.message));
    const rows = ended.get(key);
    if (rows) settle(note, rows);
    else queue(note);
    if (key <= mark) unit.push(sql.lowerMark({ name: markOf(sharedAs), value: key - 1 }));
    bytes += record.length;
    if (bytes > RECOVERED_BYTES || unit.length > RECOVERY_ROWS) await write();
  });
  await write();
  await ledger.clear();
  return { found, highestKey };
}

/** The first reading needs no message: its bytes are not looked at. */
function noteBehindAccepted(record: Buffer): Note | undefined {
  return isAccepted(record) ? undefined : decodeNote(record);
}
