/**
 * Settling a claim. A row whose lease was lost meanwhile (an operator took it) is left out; the
 * others count: what was delivered must not be delivered again because of its neighbour. What was
 * answered for it is logged (late-answers.ts).
 */
import { isOperational } from '../../model/errors.ts';
import type { AdmissionParts } from '../accept/admission.ts';
import type { AttemptResult, Claim } from '../contract.ts';
import type { ActiveClaim, Leased } from '../dispatch/active-claims.ts';
import type { Notice } from '../dsn/notices.ts';
import { endInline } from '../inline/end.ts';
import { scheduleOf } from '../model/schedule.ts';
import { claims } from '../model/transitions.ts';
import type { ActiveRecipient } from '../rows/rows.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow } from '../rows/tables.ts';
import { queueSettings } from '../settings.ts';
import { writeChanges } from './changes.ts';
import { tellLateAnswers } from './late-answers.ts';
import { type Change, changeOf, noticeOf, type SettlementRules } from './settlement.ts';

export type Settle = (claim: Claim, results: readonly AttemptResult[]) => Promise<'settled' | 'void'>;

export function createSettle(parts: AdmissionParts): Settle {
  const { dispatch, lane, deferrals } = parts;
  return async (claim, results) => {
    const active = dispatch.activeClaims.get(claim.lease);
    if (active?.phase !== 'taken') return 'void';
    active.phase = claims.settle(active.phase, active.message.id);
    try {
      if (await endedInline(parts, active, results)) return 'settled';
      if (!active.hold && lane.holds(active.lease) && results.every(({ kind }) => kind === 'deferred'))
        await deferrals.wait();
      return await settleActiveClaim(parts, active, results);
    } finally {
      dispatch.ended(active);
    }
  };
}

/** A claim that nobody was asked to take is held; it cannot reject but for a defect. */
export async function settleUntried(parts: AdmissionParts, active: ActiveClaim): Promise<void> {
  try {
    await settleActiveClaim(parts, active, []);
  } finally {
    parts.dispatch.ended(active);
  }
}

/** Where the ledger's disk fails the database may do better, and it is tried until it does. */
async function endedInline(
  parts: AdmissionParts,
  active: ActiveClaim,
  results: readonly AttemptResult[],
): Promise<boolean> {
  const ended = endInline(parts, active, results);
  if (!ended) return false;
  return ended.then(
    () => true,
    () => false,
  );
}

export async function settleActiveClaim(
  parts: AdmissionParts,
  active: ActiveClaim,
  results: readonly AttemptResult[],
): Promise<'settled' | 'void'> {
  const rules = rulesFor(parts, active);
  for (let rows = active.recipients; ; ) {
    const changes: Change[] = [];
    const notices: Notice[] = [];
    const untouched: number[] = [];
    for (const recipient of rows) {
      const result = results.find(({ row }) => row === recipient.row);
      if (!result) {
        untouched.push(recipient.row);
        continue;
      }
      const change = changeOf(recipient, result, rules);
      changes.push(change);
      const notice = noticeOf(change, rules, 'dsn' in result && result.dsn);
      if (notice) notices.push(notice);
    }
    if (rows.length === 0) return 'void';
    try {
      await writeChanges(parts, active, { changes, notices, untouched });
      return 'settled';
    } catch (error) {
      if (!isOperational(error, 'store.expectation')) throw error;
      rows = await stillLeased(parts, active, rows, results);
    }
  }
}

export function rulesFor(
  { settings, clock }: AdmissionParts,
  { forged, message }: Pick<Leased, 'forged' | 'message'>,
): SettlementRules {
  const snapshot = settings.current();
  return {
    message: message.id,
    now: clock.now(),
    schedule: scheduleOf(snapshot),
    failureNotices: snapshot.get(queueSettings.failureNotices),
    forged,
    isNull: message.reversePath === null,
  };
}

/** Of the others the log is told what was answered. */
async function stillLeased(
  parts: AdmissionParts,
  active: ActiveClaim,
  recipients: readonly ActiveRecipient[],
  results: readonly AttemptResult[],
): Promise<readonly ActiveRecipient[]> {
  const { database, sql } = parts;
  const { key, lease } = active;
  const rows = rowsOf<RecipientRow>(await database.read(sql.recipients({ message: key })));
  const ours = new Set(rows.filter((row) => row.lease === lease).map((row) => row.n));
  const lost = recipients.filter(({ row }) => !ours.has(row));
  tellLateAnswers(parts, active, lost, { results, rows });
  return recipients.filter(({ row }) => ours.has(row));
}
