/**
 * Settling a claim. A row whose lease was lost meanwhile (an operator took it) is left out; the
 * others count: what was delivered must not be delivered again because of its neighbour. What was
 * answered for it is logged (late-answers.ts).
 */
import { isOperational } from '../model/errors.ts';
import type { AdmissionParts } from './admission.ts';
import { writeChanges } from './changes.ts';
import type { AttemptResult, Claim } from './contract.ts';
import { endExpress } from './express/end.ts';
import type { Flight, Leased } from './flights.ts';
import { tellLateAnswers } from './late-answers.ts';
import type { Notice } from './notices.ts';
import type { FlightRecipient } from './rows.ts';
import { scheduleOf } from './schedule.ts';
import { queueSettings } from './settings.ts';
import { type Change, changeOf, noticeOf, type SettlementRules } from './settlement.ts';
import { rowsOf } from './statements.ts';
import type { RecipientRow } from './tables.ts';

export type Settle = (claim: Claim, results: readonly AttemptResult[]) => Promise<'settled' | 'void'>;

export function createSettle(parts: AdmissionParts): Settle {
  const { dispatch, lane, deferrals } = parts;
  return async (claim, results) => {
    const flight = dispatch.flights.get(claim.lease);
    if (flight?.phase !== 'taken') return 'void';
    flight.phase = 'settling';
    try {
      if (await endedExpress(parts, flight, results)) return 'settled';
      if (lane.holds(flight.lease) && results.every(({ kind }) => kind === 'deferred')) await deferrals.wait();
      return await settleFlight(parts, flight, results);
    } finally {
      dispatch.ended(flight);
    }
  };
}

/** Where the ledger's disk fails the database may do better, and it is tried until it does. */
async function endedExpress(
  parts: AdmissionParts,
  flight: Flight,
  results: readonly AttemptResult[],
): Promise<boolean> {
  const ended = endExpress(parts, flight, results);
  if (!ended) return false;
  return ended.then(
    () => true,
    () => false,
  );
}

async function settleFlight(
  parts: AdmissionParts,
  flight: Flight,
  results: readonly AttemptResult[],
): Promise<'settled' | 'void'> {
  const rules = rulesFor(parts, flight);
  for (let rows = flight.recipients; ; ) {
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
      await writeChanges(parts, flight, { changes, notices, untouched });
      return 'settled';
    } catch (error) {
      if (!isOperational(error, 'store.expectation')) throw error;
      rows = await stillLeased(parts, flight, rows, results);
    }
  }
}

export function rulesFor(
  { settings, clock }: AdmissionParts,
  { forged, message }: Pick<Leased, 'forged' | 'message'>,
): SettlementRules {
  const snapshot = settings.current();
  return {
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
  flight: Flight,
  recipients: readonly FlightRecipient[],
  results: readonly AttemptResult[],
): Promise<readonly FlightRecipient[]> {
  const { database, sql } = parts;
  const { key, lease } = flight;
  const rows = rowsOf<RecipientRow>(await database.read(sql.recipients({ message: key })));
  const ours = new Set(rows.filter((row) => row.lease === lease).map((row) => row.n));
  const lost = recipients.filter(({ row }) => !ours.has(row));
  tellLateAnswers(parts, flight, lost, { results, rows });
  return recipients.filter(({ row }) => ours.has(row));
}
