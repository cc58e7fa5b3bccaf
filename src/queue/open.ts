/**
 * Opens the queue over a store: what was committed before is found, and mail flows once a dispatcher
 * is attached.
 */

import { invariant } from '../model/errors.ts';
import type { Statement } from '../store/contract.ts';
import { NODES } from '../store/limits.ts';
import { builder, statement } from '../store/statement.ts';
import { type Admission, type AdmissionParts, admit } from './accept/admission.ts';
import { createQueueAdmin, type QueueAdmin } from './admin/queue-admin.ts';
import type { NewMessage, Queue } from './contract.ts';
import { type ActiveClaim, createLeases } from './dispatch/active-claims.ts';
import { createAuthorHolds } from './dispatch/author-holds.ts';
import { createBatchWindow } from './dispatch/batch-window.ts';
import { createDispatch } from './dispatch/dispatch.ts';
import { createExpiredLeases } from './dispatch/expired-leases.ts';
import { createRenewal } from './dispatch/renewal.ts';
import { createSweep } from './dispatch/sweep.ts';
import { needsImmediateDsn, withImmediateDsn } from './dsn/immediate.ts';
import { admitInline } from './inline/admit.ts';
import { declinedLane } from './inline/declined.ts';
import { createLane } from './inline/lane.ts';
import { recoverLedger } from './inline/recover.ts';
import { createJournaling } from './journal/journaling.ts';
import { DEFERRALS_EVERY_MS } from './limits.ts';
import { createIdSource, idOf, nodeOf } from './model/ids.ts';
import { FIRST_NODE, leaseStart, markOf, seqsOf, UNNUMBERED_MARK } from './model/nodes.ts';
import { assertLife } from './model/states.ts';
import type { NodeParts, QueueParts } from './parts.ts';
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

export async function openQueue(given: QueueParts): Promise<OpenQueue> {
  const { database, clock, sharedAs, ledger } = given;
  const node = sharedAs ?? FIRST_NODE;
  invariant(
    Number.isInteger(node) && node >= 0 && node < NODES,
    `node number ${node} is a whole number below ${NODES}`,
  );
  const sql = queueStatements(database.dialect);
  const recovered = await recoverLedger(given, sql, await highestOf(given, sql));
  const { key, seq, mark, unnumbered } = await begun(given, sql, recovered.highestKey);
  const madeBy = (of: number): number => (sharedAs === undefined ? FIRST_NODE : nodeOf(of, unnumbered));
  const queueParts: NodeParts = { ...given, isForeign: (of) => madeBy(of) !== node };
  const ids = createIdSource(clock, Math.max(key, mark, unnumbered, recovered.highestKey), node);
  const newLease = createLeases(leaseStart(node, idOf(ids.next())));
  const journaling = createJournaling(queueParts, sql, { seq, mark });
  const lane = ledger ? createLane({ ...queueParts, ledger, sql, journaling }) : declinedLane;
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
  await recover(parts, mark, recovered.found);
  const sweep = createSweep(parts);
  const renewal = createRenewal(parts);
  const expiredLeases = createExpiredLeases(parts);
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
    owners: createContentOwners({ ...parts, nodeOf: madeBy }, sql),
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
      expiredLeases.stop();
      timers.stop();
      holdClock.stop();
      await dispatch.stop();
      lane.stop();
      journaling.stop();
    },
  };
}

interface Highest {
  /** For a message's key, from any creator. */
  readonly key: number;
  /** Of this node's settled rows. */
  readonly seq: number;
  /** Up to which key this node's log has its messages. */
  readonly mark: number;
  /** Up to which key keys are from before nodes had numbers. */
  readonly unnumbered: number;
}

interface Found extends Highest {
  readonly isNew: { readonly mark: boolean; readonly unnumbered: boolean };
}

async function highestOf({ database, sharedAs: node = FIRST_NODE }: QueueParts, sql: QueueStatements): Promise<Found> {
  const [highest] = rowsOf<{ [name in keyof Highest]: number | null }>(
    await database.read(sql.highest({ mark: markOf(node), ...seqsOf(node) })),
  );
  const { seq, mark, unnumbered } = highest!;
  const key = highest!.key ?? 0;
  return {
    key,
    seq: seq ?? seqsOf(node).from,
    // A node that is new to the database has made none of its messages.
    mark: mark ?? key,
    unnumbered: unnumbered ?? Math.max(key, mark ?? 0),
    isNew: { mark: mark === null, unnumbered: unnumbered === null },
  };
}

/** Writes the marks that this node, or the first one whose keys have numbers, does not find. */
async function begun(parts: QueueParts, sql: QueueStatements, inLedger: number): Promise<Highest> {
  const found = await highestOf(parts, sql);
  const { mark, isNew } = found;
  const unnumbered = isNew.unnumbered ? Math.max(found.unnumbered, inLedger) : found.unnumbered;
  const unit: Statement[] = [];
  if (isNew.mark) unit.push(sql.beginMark({ name: markOf(parts.sharedAs ?? FIRST_NODE), value: mark }));
  if (isNew.unnumbered) unit.push(sql.beginMark({ name: UNNUMBERED_MARK, value: unnumbered }));
  if (unit.length > 0) await parts.database.write(unit);
  return { ...found, unnumbered };
}
