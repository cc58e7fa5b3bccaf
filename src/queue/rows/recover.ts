/**
 * What a start finds: claims of runs that are over, and rows that the journal may have missed.
 *
 * Leases of this node's other starts are void, and all leases if the database is its alone; what other
 * nodes lease is theirs until it expires (dispatch/expired-leases.ts). Messages above the journal's mark
 * and settled rows are told again; the journal knows a message by its id. Bounded by what one run had
 * under way.
 */
import type { AdmissionParts } from '../accept/admission.ts';
import { loggedMessageOf } from '../journal/records.ts';
import { ALL_LEASES, leasesOf } from '../model/nodes.ts';
import { rowsOf } from './statements.ts';
import type { MessageRow } from './tables.ts';

/** `found`: messages that the ledger had. */
export async function recover(parts: AdmissionParts, mark: number, found: number): Promise<void> {
  const { database, sql, journaling, clock, events, sharedAs } = parts;
  const startedAt = clock.monotonic();
  const like = sharedAs === undefined ? ALL_LEASES : leasesOf(sharedAs);
  const unit = [sql.holdMarked({ like }), sql.voidLeases({ like }), sql.forgetEmptyCounts({})];
  const [marked, voided] = await database.write(unit);
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

async function tellMessages({ database, sql, journaling, isForeign }: AdmissionParts, mark: number): Promise<number> {
  let told = 0;
  for (let above = mark; ; ) {
    const rows = rowsOf<MessageRow>(await database.read(sql.messagesAbove({ above })));
    if (rows.length === 0) return told;
    for (const row of rows) {
      above = row.key;
      // The log of its own node has it.
      if (isForeign(row.key)) continue;
      journaling.message(row.key, loggedMessageOf(row));
      told++;
    }
  }
}
