/**
 * What was answered for rows that an operator took from their delivery meanwhile: the operator's word
 * stands, and the log tells the answer all the same, since the next host may have the mail.
 */
import type { AdmissionParts } from '../accept/admission.ts';
import type { AttemptResult, QueueState } from '../contract.ts';
import type { ActiveClaim } from '../dispatch/active-claims.ts';
import { attemptRecord } from '../journal/records.ts';
import type { ActiveRecipient } from '../rows/rows.ts';
import type { RecipientRow } from '../rows/tables.ts';
import { boundedDetail } from './settlement.ts';

/** How the reply of such an answer begins: it is news of a try, and no second end of the recipient. */
export const LATE_ANSWER = 'the delivery that was under way ended with: ';

/** `rows`: as they were under the earlier lease. */
export function noteTakenAway(
  activeClaims: ReadonlyMap<string, ActiveClaim>,
  rows: readonly Pick<RecipientRow, 'lease' | 'n'>[],
  to: QueueState,
): void {
  for (const { lease, n } of rows) {
    const active = lease === null ? undefined : activeClaims.get(lease);
    if (!active) continue;
    active.takenAway ??= new Map();
    active.takenAway.set(n, to);
  }
}

/** `lost`: recipients of the active claim that are no longer its own; `rows`: what the database has of the message. */
export function tellLateAnswers(
  { journaling }: Pick<AdmissionParts, 'journaling'>,
  active: ActiveClaim,
  lost: readonly ActiveRecipient[],
  { results, rows }: { readonly results: readonly AttemptResult[]; readonly rows: readonly RecipientRow[] },
): void {
  for (const recipient of lost) {
    const result = results.find(({ row }) => row === recipient.row);
    const state = result && stateOf(active, result, rows);
    if (!state) continue;
    const detail = boundedDetail({
      ...result.detail,
      reply: `${LATE_ANSWER}${result.detail.reply}`,
    });
    journaling.changed(attemptRecord(active.message.id, recipient.address.text, state, detail));
  }
}

/** The log's last word of a recipient is its state, so the line repeats what the operator made of it. */
function stateOf(
  { takenAway }: ActiveClaim,
  { row, kind }: AttemptResult,
  rows: readonly RecipientRow[],
): QueueState | undefined {
  const there = rows.find(({ n }) => n === row);
  if (there) return there.state;
  const end = takenAway?.get(row);
  if (end && end !== 'held') return end;
  // Held, released, and ended by a later delivery: that a second one succeeded is news, that it failed is not.
  return kind === 'relayed' || kind === 'delivered' ? kind : undefined;
}
