/**
 * What a start finds: claims of runs that are over, and rows that the journal may have missed.
 *
 * The folder is ours, so whoever held a lease is dead. Messages above the journal's mark and settled
 * rows are told again; the journal knows a message by its id. Bounded by what one run had under way.
 */
import type { AdmissionParts } from '../accept/admission.ts';
import { loggedMessageOf } from '../journal/records.ts';
import { rowsOf } from './statements.ts';
import type { MessageRow } from './tables.ts';

/** `found`: messages that the ledger had. */
export async function recover(parts: AdmissionParts, mark: number, found: number): Promise<void> {
  const { database, sql, journaling, clock, events } = parts;
  const startedAt = clock.monotonic();
  const [marked, voided] = await database.write([sql.holdMarked({}), sql.voidLeases({})]);
  const messages = await tellMessages(parts, mark);
  const settled = await journaling.reload();
  const leases = (marked?.changes ?? 0) + (voided?.changes ?? 0);
  if (leases + messages + settled + found === 0) return;
  events.emit('queue.recovered', {
    leases: leases + found,
    messages,
    settled,
    tookMs: Math.round(clock.monotonic() - startedAt),
  });
}

async function tellMessages({ database, sql, journaling }: AdmissionParts, mark: number): Promise<number> {
  let told = 0;
  for (let above = mark; ; ) {
    const rows = rowsOf<MessageRow>(await database.read(sql.messagesAbove({ above })));
    if (rows.length === 0) return told;
    for (const row of rows) {
      journaling.message(row.key, loggedMessageOf(row));
      above = row.key;
      told++;
    }
  }
}
