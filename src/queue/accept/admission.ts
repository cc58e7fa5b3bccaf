/**
 * A new message on its way into the database: its statements, and what follows once they are durable.
 *
 * A commit is one unit of these; a report joins the unit of the settlement that caused it. Recipients
 * whose destination has a place in the buffer are inserted with their lease already, so that nothing
 * is read again to deliver them. (Most messages go the inline way: inline/admit.ts.)
 */
import { invariant } from '../../model/errors.ts';
import type { Statement } from '../../store/contract.ts';
import type { NewMessage, NewRecipient } from '../contract.ts';
import type { ActiveClaim } from '../dispatch/active-claims.ts';
import type { AuthorHolds } from '../dispatch/author-holds.ts';
import type { BatchWindow } from '../dispatch/batch-window.ts';
import type { DestinationState } from '../dispatch/destinations.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import { wantsDelayWarning } from '../dsn/notices.ts';
import type { Lane } from '../inline/lane.ts';
import type { Journaling } from '../journal/journaling.ts';
import { discardedRecord, loggedMessage } from '../journal/records.ts';
import { LEASE_MS } from '../limits.ts';
import { keyOf } from '../model/ids.ts';
import { recipients as moves } from '../model/transitions.ts';
import type { NodeParts } from '../parts.ts';
import { type ActiveRecipient, contentColumns, messageRow, recipientRow } from '../rows/rows.ts';
import type { QueueStatements } from '../rows/statements.ts';
import { discardSplices, type NewVariant, variantsOf, variantUnit } from '../rows/variants.ts';
import type { HoldClock } from '../settle/hold-clock.ts';

export interface Admission {
  readonly unit: readonly Statement[];
  /** The unit is durable. */
  done(): void;
  /** It never will be. */
  failed(): void;
}

export interface AdmissionParts extends NodeParts {
  readonly sql: QueueStatements;
  readonly dispatch: Dispatch;
  readonly journaling: Journaling;
  readonly lane: Lane;
  /** Of messages that could not be delivered at the first try: the ledger has them meanwhile. */
  readonly deferrals: BatchWindow;
  readonly holdClock: HoldClock;
  readonly authorHolds: AuthorHolds;
  newLease(): string;
  newId(): string;
}

/** Recipients that travel together. */
interface Group {
  readonly destination: DestinationState;
  readonly variant: NewVariant | undefined;
  readonly lease: string;
  readonly recipients: ActiveRecipient[];
}

export function admit(parts: AdmissionParts, message: NewMessage): Admission {
  const { sql, dispatch, journaling, clock, holdClock } = parts;
  const key = keyOf(message.id);
  invariant(key !== undefined, `message id ${message.id} was made by newId`);
  const now = clock.now();
  const { home } = message.content;
  const logged = loggedMessage(message);
  const unit: Statement[] = [sql.insertMessage(messageRow(message, key, logged))];
  const groups: Group[] = [];
  const variants = variantsOf(message, key);
  const kept = new Set<NewVariant>();
  const waiting = new Set<string>();
  const discarded: { readonly seq: number; readonly recipient: NewRecipient; readonly reason: string }[] = [];
  let active = 0;

  for (let n = 0; n < message.recipients.length; n++) {
    const recipient = message.recipients[n]!;
    const { state } = recipient;
    if (state !== 'queued' && 'discarded' in state) {
      moves.discard('new', message.id);
      const seq = journaling.nextSeq();
      const record = discardedRecord(message, recipient, now, state.discarded);
      discarded.push({ seq, recipient, reason: state.discarded });
      unit.push(sql.insertSettled({ seq, message: key, record: JSON.stringify(record) }));
      continue;
    }
    active++;
    const variant = variants[n];
    if (variant) kept.add(variant);
    const group = state === 'queued' ? joinGroup(parts, groups, message, recipient, variant) : undefined;
    group?.recipients.push(activeRecipientOf(recipient, n, now));
    if (state === 'queued' && !group) waiting.add(recipient.destination);
    const place = {
      id: message.id,
      message: key,
      n,
      now,
      variant: variant?.v ?? null,
      lease: group?.lease ?? null,
      leaseUntil: group ? now + LEASE_MS : null,
      wantsDelayWarning: wantsDelayWarning(message, recipient),
      sender: message.reversePath?.text ?? null,
      subject: message.detail.subject ?? null,
    };
    unit.push(sql.insertRecipient(recipientRow(recipient, place)));
  }
  if (active > 0) {
    for (const variant of kept) unit.push(...variantUnit(sql, variant.rows));
    unit.push(sql.insertContent({ message: key, ...contentColumns(home) }));
  }
  journaling.expected(key);
  const mark = journaling.lowerMark(key);
  if (mark) unit.push(mark);

  return {
    unit,
    done() {
      journaling.message(key, logged);
      discarded.forEach(({ seq, recipient, reason }, at) => {
        const lastOf = active === 0 && at === discarded.length - 1 ? key : undefined;
        journaling.settled(seq, discardedRecord(message, recipient, now, reason), lastOf);
      });
      if (active === 0) message.content.discard();
      discardSplices(message, kept);
      const release = releaseAfter(message, groups.length);
      for (const group of groups) dispatch.offer(activeClaimOf(parts, message, key, group, release));
      for (const destination of waiting) dispatch.note(destination, now);
      for (const { state } of message.recipients)
        if (state !== 'queued' && 'held' in state && state.until) holdClock.note(state.until.at);
    },
    failed() {
      journaling.dropped(key);
      for (const { destination } of groups) dispatch.cancel(destination);
      message.content.discard();
      discardSplices(message);
    },
  };
}

/** The group of its destination and variant, a new one where there is a place; undefined: its row waits. */
function joinGroup(
  { dispatch, newLease }: AdmissionParts,
  groups: Group[],
  message: NewMessage,
  recipient: NewRecipient,
  variant: NewVariant | undefined,
): Group | undefined {
  for (const group of groups) {
    if (group.destination.name === recipient.destination && group.variant === variant) return group;
  }
  const destination = dispatch.reserve(recipient.destination, ownBytes(message, variant));
  if (!destination) return undefined;
  const group = { destination, variant, lease: newLease(), recipients: [] };
  groups.push(group);
  return group;
}

export function activeRecipientOf(recipient: NewRecipient, row: number, now: number): ActiveRecipient {
  const { address, original, notify, orcpt, direction, destination } = recipient;
  return { row, address, original, notify, orcpt, direction, destination, attempts: 0, queuedAt: now };
}

/** Bytes that are in memory for the claim alone: what lies in a file, the store keeps within its own bounds. */
export function ownBytes({ content }: NewMessage, variant: NewVariant | undefined): number {
  return (content.home.kind === 'row' ? content.sizeBytes : 0) + (variant?.bytes ?? 0);
}

/** What the last of so many active claims lets go of; at once where nobody flies. */
function releaseAfter({ content }: NewMessage, activeClaims: number): (() => void) | undefined {
  if (!content.release || activeClaims === 1) return content.release;
  if (activeClaims === 0) return void content.release();
  let left = activeClaims;
  return () => {
    if (--left === 0) content.release!();
  };
}

export function activeClaimOf(
  { clock }: AdmissionParts,
  message: NewMessage,
  key: number,
  group: Group,
  release: (() => void) | undefined,
): ActiveClaim {
  const { content } = message;
  const { variant } = group;
  return {
    claim: {
      lease: group.lease,
      message,
      content,
      trace: message.trace,
      edits: variant?.edits ?? [],
      splices: variant?.splices ?? [],
      destination: group.destination.name,
      recipients: group.recipients,
    },
    lease: group.lease,
    key,
    message,
    detail: message.detail,
    content,
    recipients: group.recipients,
    destination: group.destination,
    bytes: ownBytes(message, variant),
    ...(release && { release }),
    blob: content.home.kind === 'blob' ? content.home.key : undefined,
    variants: variant ? [variant] : [],
    forged: message.forged === true,
    leasedAt: clock.monotonic(),
    phase: 'buffered',
  };
}
