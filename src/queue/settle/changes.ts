/**
 * Writes changes of leased rows: each recipient's change, the report about them, and the end of the
 * content in one unit, which rows that are not in the database yet come along with; then tells the
 * journal, the scheduler and the events. Fails with `store.expectation`, and nothing changed, where a
 * lease was lost.
 */
import type { RecipientRow } from '../../journal/contract.ts';
import { isOperational } from '../../model/errors.ts';
import type { Blobs, Statement, WriteResult } from '../../store/contract.ts';
import { type AdmissionParts, admit } from '../accept/admission.ts';
import type { Leased } from '../dispatch/active-claims.ts';
import { composeNotice } from '../dsn/bounce.ts';
import type { Notice } from '../dsn/notices.ts';
import { attemptRecord } from '../journal/records.ts';
import { holdColumns } from '../rows/held.ts';
import { rowsOf } from '../rows/statements.ts';
import type { RecipientRow as QueuedRow } from '../rows/tables.ts';
import type { SpliceFile } from '../rows/variants.ts';
import { keepTrying } from './keep-trying.ts';
import { type Change, HELD_BY, holdInstead, operatorHold } from './settlement.ts';

export interface Changes {
  readonly changes: readonly Change[];
  readonly notices: readonly Notice[];
  /** Rows that are given back as they were. */
  readonly untouched?: readonly number[];
  /** New rows that go along, as a redirect makes them. */
  readonly rows?: readonly QueuedRow[];
  /** The operator who asked. */
  readonly by?: string;
}

/** Tries until the disk takes it: what happened to a message cannot be taken back. */
export function writeChanges(parts: AdmissionParts, leased: Leased, wanted: Changes): Promise<void> {
  return keepTrying(parts, 'settle', () => writeOnce(parts, leased, wanted));
}

async function writeOnce(parts: AdmissionParts, leased: Leased, asked: Changes): Promise<void> {
  const { lane, database } = parts;
  const report = asked.notices.length > 0 ? await composeNotice(parts, leased, asked.notices) : undefined;
  for (let spilling = lane.spilling(leased.lease); spilling; spilling = lane.spilling(leased.lease)) await spilling;
  // Numbers of settled rows must be taken in the order of writing: nothing is awaited from here to the write.
  const wanted = orHeld(parts, leased, asked);
  const { unit, ends, endsSome, endsSplices } = changesUnit(parts, leased, wanted);
  const admission = report && admit(parts, report);
  const whole = admission ? [...unit, ...admission.unit] : unit;
  let outcome: readonly WriteResult[] | undefined;
  try {
    outcome = await (lane.holds(leased.lease) ? lane.spillWith(leased.lease, whole) : database.write(whole));
  } catch (error) {
    admission?.failed();
    throw error;
  }
  if (!outcome) {
    admission?.failed();
    return writeOnce(parts, leased, asked);
  }
  const isLast = endsSome && outcome[unit.length - 1]!.changes === 1;
  afterwards(parts, leased, wanted, ends, isLast);
  if (endsSplices > 0) deleteFiles(parts, leased.key, outcome.slice(unit.length - 1 - endsSplices, unit.length - 1));
  admission?.done();
}

/** Under a hold, nothing waits again. Asked at the last moment: a hold that comes later finds the row waiting. */
function orHeld({ clock }: AdmissionParts, { hold, recipients, message }: Leased, asked: Changes): Changes {
  if (!hold) return asked;
  const at = { message: message.id, now: clock.now() };
  const { changes, untouched = [] } = asked;
  const untried = recipients.filter(({ row }) => untouched.includes(row));
  return {
    ...asked,
    changes: [
      ...changes.map((change) => (change.kind === 'requeue' ? holdInstead(change, hold, at) : change)),
      ...untried.map((recipient) => operatorHold(recipient, hold, at)),
    ],
    untouched: [],
    by: hold.by,
  };
}

interface End {
  readonly seq: number;
  readonly logged: RecipientRow;
}

interface ChangesUnit {
  readonly unit: Statement[];
  /** By change; undefined where it is no end. */
  readonly ends: readonly (End | undefined)[];
  /** Then the last statement is the one that ends the content. */
  readonly endsSome: boolean;
  /** How many before it tell the files of splices that nobody needs any more. */
  readonly endsSplices: number;
}

function changesUnit(
  { sql, journaling, database, clock }: AdmissionParts,
  leased: Leased,
  { changes, untouched = [], rows = [], by }: Changes,
): ChangesUnit {
  const { key, lease, message, variants } = leased;
  const unit: Statement[] = [];
  const ends: (End | undefined)[] = [];
  for (const change of changes) {
    const { recipient, detail } = change;
    const row = { message: key, n: recipient.row, lease };
    let end: End | undefined;
    if (change.kind === 'end') {
      const seq = journaling.nextSeq();
      const logged = attemptRecord(
        message.id,
        recipient.address.text,
        change.state,
        detail,
        leased.hold ? undefined : by,
      );
      end = { seq, logged };
      unit.push(sql.endLeased(row), sql.insertSettled({ seq, message: key, record: JSON.stringify(logged) }));
    } else if (change.kind === 'requeue') {
      const { due, attempts } = change;
      unit.push(sql.requeueLeased({ ...row, due, attempts, last: JSON.stringify(detail) }));
    } else if (change.kind === 'warned') unit.push(sql.warnedLeased(row));
    else {
      const { tried } = change;
      const found = { sender: message.reversePath?.text ?? null, subject: leased.detail.subject ?? null };
      const hold = { ...row, ...holdColumns({ ...change, by: HELD_BY[change.cause] }, clock.now(), found) };
      if (!tried) unit.push(sql.holdUntried(hold));
      else unit.push(sql.holdLeased({ ...hold, attempts: tried.attempts, last: JSON.stringify(tried.last) }));
    }
    ends.push(end);
  }
  for (const n of untouched) unit.push(sql.releaseLeased({ message: key, n, lease }));
  for (const row of rows) unit.push(sql.insertRecipient(row));
  const endsSome = ends.some((end) => end !== undefined);
  let endsSplices = 0;
  if (endsSome) {
    if (database.dialect === 'postgres') unit.unshift(sql.lockMessage({ message: key }));
    for (const { v } of variants) unit.push(sql.deleteVariantIfUnused({ message: key, v }));
    for (const { v, maySplice } of variants) {
      if (!maySplice) continue;
      unit.push(sql.deleteSplicesIfUnused({ message: key, v }));
      endsSplices++;
    }
    unit.push(sql.deleteContentIfLast({ message: key }));
  }
  return { unit, ends, endsSome, endsSplices };
}

/** Of splices, unless another variant of the message puts in the same file. What stays behind is swept. */
function deleteFiles({ database, sql, blobs }: AdmissionParts, message: number, ended: readonly WriteResult[]): void {
  const files = new Set(ended.flatMap(({ rows }) => rowsOf<{ blob: string | null }>(rows).map(({ blob }) => blob)));
  for (const blob of files) {
    if (blob === null) continue;
    database
      .read(sql.spliceWithFile({ message, blob }))
      .then((rows) => (rows.length === 0 ? blobs.delete(blob) : undefined))
      .catch(() => undefined);
  }
}

function afterwards(
  parts: AdmissionParts,
  leased: Leased,
  { changes, untouched = [], rows = [], by }: Changes,
  ends: readonly (End | undefined)[],
  isLast: boolean,
): void {
  const { journaling, events, dispatch, clock } = parts;
  const { message, key, blob, logged: foreign } = leased;
  if (foreign) journaling.foreign(foreign);
  const lastSeq = isLast ? ends.reduce((highest, end) => Math.max(highest, end?.seq ?? 0), 0) : -1;
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i]!;
    const recipient = change.recipient.address.text;
    if (change.kind === 'end') {
      const { seq, logged } = ends[i]!;
      journaling.settled(seq, logged, seq === lastSeq ? key : undefined);
      if (change.state === 'expired') events.emit('queue.expired', { message: message.id, recipient });
    } else {
      const state = change.kind === 'hold' ? 'held' : 'queued';
      // A try that failed by itself is nobody's act.
      const actor = change.kind === 'hold' && change.cause !== 'operator' ? undefined : by;
      journaling.changed(attemptRecord(message.id, recipient, state, change.detail, actor));
      if (change.kind !== 'hold') dispatch.note(change.recipient.destination, change.due);
      else afterHold(parts, leased, change);
    }
  }
  for (const { row, destination } of leased.recipients) {
    if (untouched.includes(row)) dispatch.note(destination, clock.now());
  }
  for (const { destination, due } of rows) dispatch.note(destination, due);
  if (isLast && blob) parts.blobs.delete(blob).catch(() => undefined);
}

function afterHold(
  { events, blobs, holdClock }: AdmissionParts,
  { message, content, blob, variants, hold }: Leased,
  change: Change & { kind: 'hold' },
): void {
  if (change.until) holdClock.note(change.until.at);
  if (change.cause === 'operator') {
    hold?.onHeld(1);
    return;
  }
  const { reply, status } = change.detail;
  if (change.cause === 'forged') {
    events.emit('queue.forged-sender-held', { message: message.id, recipient: change.recipient.address.text, reply });
    return;
  }
  events.emit('queue.content-lost', { message: message.id, code: status, detail: reply });
  const inserted = variants.flatMap(({ files }) => files);
  if (inserted.length > 0) void setDamagedAside(blobs, blob ? [{ key: blob, content }, ...inserted] : inserted);
  else if (blob) blobs.setAside(blob).catch(() => undefined);
}

/** Of a content and its splices only what cannot be read: others need the rest. */
async function setDamagedAside(blobs: Blobs, files: readonly SpliceFile[]): Promise<void> {
  for (const { key, content } of files) {
    try {
      for await (const _ of content.open());
    } catch (error) {
      if (isOperational(error, 'content.corrupt')) await blobs.setAside(key).catch(() => undefined);
    }
  }
}
