/**
 * Opens the queue over a store: what was committed before is found, and mail flows once a dispatcher
 * is attached.
 */

import type { Statement } from '../store/contract.ts';
import { builder, statement } from '../store/statement.ts';
import { type Admission, type AdmissionParts, admit } from './accept/admission.ts';
import { createQueueAdmin, type QueueAdmin } from './admin/queue-admin.ts';
import type { NewMessage, Queue } from './contract.ts';
import { type ActiveClaim, createLeases } from './dispatch/active-claims.ts';
import { createAuthorHolds } from './dispatch/author-holds.ts';
import { createBatchWindow } from './dispatch/batch-window.ts';
import { createDispatch } from './dispatch/dispatch.ts';
import { createRenewal } from './dispatch/renewal.ts';
import { createSweep } from './dispatch/sweep.ts';
import { needsImmediateDsn, withImmediateDsn } from './dsn/immediate.ts';
import { admitInline } from './inline/admit.ts';
import { createLane } from './inline/lane.ts';
import { recoverLedger } from './inline/recover.ts';
import { createJournaling } from './journal/journaling.ts';
import { DEFERRALS_EVERY_MS } from './limits.ts';
import { createIdSource, idOf } from './model/ids.ts';
import { assertLife } from './model/states.ts';
import type { QueueParts } from './parts.ts';
import { createContentOwners, type OpenContentOwners } from './rows/owners.ts';
import { recover } from './rows/recover.ts';
import { type QueueStatements, queueStatements, rowsOf } from './rows/statements.ts';
import type { QueueTables } from './rows/tables.ts';
import { discardSplices, unfitVariants } from './rows/variants.ts';
import { createHoldClock } from './settle/hold-clock.ts';
import { createSettle, settleUntried } from './settle/settle.ts';
import { createTimers } from './settle/timers.ts';

export interface OpenQueue extends Queue {
  /** What operators see of it and do to it; also without a dispatcher. */
  readonly admin: QueueAdmin;
  /** Which of these content files messages still need; for Blobs.sweep. Looks at every message, off the event loop. */
  referencedBlobs(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** For rooms that need a content beside the queue. */
  readonly owners: OpenContentOwners;
  /** Throws where what is in memory contradicts itself (model/states.ts); for tests. */
  assertLives(): void;
  /** After drain: stops timers and lets the database go; does not close it. */
  close(): Promise<void>;
}

const DRAIN_LOOK_MS = 20;

function unitOf(admissions: readonly Admission[], also: readonly Statement[] = []): Statement[] {
  return [...also, ...admissions.flatMap(({ unit }) => unit)];
}

export async function openQueue(queueParts: QueueParts): Promise<OpenQueue> {
  const { database, clock } = queueParts;
  const sql = queueStatements(database.dialect);
  const ledger = await recoverLedger(queueParts, sql, await highestOf(queueParts, sql));
  const { key, seq, mark } = await highestOf(queueParts, sql);
  const ids = createIdSource(clock, Math.max(key, mark, ledger.highestKey));
  const newLease = createLeases(idOf(ids.next()));
  const journaling = createJournaling(queueParts, sql, { seq, mark });
  const lane = createLane({ ...queueParts, sql, journaling });
  const authorHolds = createAuthorHolds();
  const holdClock = createHoldClock(queueParts);
  const withhold = (active: ActiveClaim): void => {
    settleUntried(parts, active).catch((error: Error) =>
      queueParts.events.emit('queue.work-failed', { work: 'hold a claim', error: error.message }),
    );
  };
  const dispatch = createDispatch({ ...queueParts, lane, authorHolds, withhold }, sql, newLease);
  const newId = (): string => idOf(ids.next());
  const deferrals = createBatchWindow(clock, DEFERRALS_EVERY_MS);
  const parts: AdmissionParts = {
    ...queueParts,
    sql,
    dispatch,
    journaling,
    lane,
    deferrals,
    holdClock,
    authorHolds,
    newLease,
    newId,
  };
  await recover(parts, mark, ledger.found);
  const sweep = createSweep(parts);
  const renewal = createRenewal(parts);
  const timers = createTimers(parts);
  await sweep.run();
  await holdClock.start(parts);

  const write = (messages: readonly NewMessage[], also?: readonly Statement[]): Promise<void> => {
    const admissions = messages.map((message) => admit(parts, message));
    const unit = admissions.length === 1 && !also ? admissions[0]!.unit : unitOf(admissions, also);
    return database.write(unit).then(
      () => {
        for (const admission of admissions) admission.done();
      },
      (error) => {
        for (const admission of admissions) admission.failed();
        throw error;
      },
    );
  };

  const commitNow = (message: NewMessage, also?: readonly Statement[]): Promise<void> => {
    if (!needsImmediateDsn(message)) {
      const inline = also ? undefined : admitInline(parts, message, () => write([message]));
      return inline ?? write([message], also);
    }
    return withImmediateDsn(parts, message).then((told) =>
      write(told.report ? [told.message, told.report] : [told.message], also),
    );
  };

  return {
    admin: createQueueAdmin(parts),
    newId: parts.newId,
    commit(message, also) {
      const unfit = unfitVariants(message);
      if (unfit) {
        message.content.discard();
        discardSplices(message);
        return Promise.reject(unfit);
      }
      const commit = commitNow(message, also);
      if (message.author !== undefined) authorHolds.commits(message.author, commit);
      return commit;
    },
    attach: dispatch.attach,
    wake: dispatch.wake,
    settle: createSettle(parts),
    destinationFailed: dispatch.failed,
    destinationSucceeded: dispatch.succeeded,
    async drain(deadlineMs) {
      await dispatch.stop();
      const until = clock.monotonic() + deadlineMs;
      while (dispatch.activeClaims.size > 0 && clock.monotonic() < until) await clock.sleep(DRAIN_LOOK_MS);
    },
    owners: createContentOwners(parts, sql),
    async referencedBlobs(keys) {
      // Asked first: what is spilled meanwhile is found by the look at the rows.
      const onTheWay = keys.filter(lane.needs);
      const tables = builder<QueueTables>(database.dialect);
      const needed = new Set(onTheWay);
      for (const table of ['content', 'splice'] as const) {
        const query = tables.selectFrom(table).select('blob').where('blob', 'in', keys);
        for (const { blob } of rowsOf<{ blob: string }>(await database.scan(statement(query)))) needed.add(blob);
      }
      return needed;
    },
    assertLives() {
      const homes = new Map(lane.states());
      for (const { lease, phase } of dispatch.activeClaims.values())
        assertLife(lease, phase, homes.get(lease) ?? 'rows');
      for (const [lease, home] of homes) if (!dispatch.activeClaims.has(lease)) assertLife(lease, 'nobody', home);
    },
    async close() {
      sweep.stop();
      renewal.stop();
      timers.stop();
      holdClock.stop();
      await dispatch.stop();
      lane.stop();
      journaling.stop();
    },
  };
}

async function highestOf(
  { database }: QueueParts,
  sql: QueueStatements,
): Promise<{ readonly key: number; readonly seq: number; readonly mark: number }> {
  const [highest] = rowsOf<{ key: number | null; seq: number | null; mark: number }>(
    await database.read(sql.highest({})),
  );
  const { key, seq, mark } = highest!;
  return { key: key ?? 0, seq: seq ?? 0, mark };
}
