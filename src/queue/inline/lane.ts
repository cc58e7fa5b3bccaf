/**
 * The inline way: a message whose recipients travel together, to a destination with room, is noted in
 * the ledger and in memory only. It has a lease from the beginning, as a claim has; most are delivered
 * within a second, and never see the database.
 *
 * What is not over soon is spilled: its rows go into the database under the lease that it has, and from
 * then on it is as any other. So does what an operator acts on (a look spills nothing), what cannot be
 * delivered at the first try, and what a destination in back-off gives back. The ledger is told behind it; until it
 * knows, a row of the message stays in the database, so that a crash brings nothing back.
 */
import type { RecipientRow as LoggedRecipient } from '../../journal/contract.ts';
import { isOperational } from '../../model/errors.ts';
import type { Ledger, LedgerHold, Statement, WriteResult } from '../../store/contract.ts';
import type { TimerHandle } from '../../world/clock.ts';
import type { Journaling } from '../journal/journaling.ts';
import {
  INLINE_BYTES,
  INLINE_MESSAGES,
  INLINE_SEGMENTS,
  INLINE_SEGMENTS_MOST,
  LEASE_MS,
  SPILL_AFTER_MS,
  SPILL_AGAIN_MS,
  SPILL_LOOK_MS,
  SPILL_SOONER_MS,
  SPILLED_AT_ONCE,
} from '../limits.ts';
import type { InlineState } from '../model/states.ts';
import { inlineEntries } from '../model/transitions.ts';
import type { QueueParts } from '../parts.ts';
import { contentColumns } from '../rows/rows.ts';
import { type QueueStatements, rowsOf } from '../rows/statements.ts';
import { variantUnit } from '../rows/variants.ts';
import { type Accepted, encodeAccepted, encodeEnded, encodeNote } from './notes.ts';

/** Its content is in memory until it is over or in the database: not to be released before. */
export interface InlineMessage extends Accepted {
  readonly lease: string;
}

export interface Lane {
  /** False: messages go into the database, as the journal or the disk is behind. */
  hasRoom(): boolean;
  /** Durable when it resolves. Errors: `store.full`, `store.unavailable`. */
  enter(inline: InlineMessage): Promise<void>;
  /** Whether its rows are not in the database. */
  holds(lease: string): boolean;
  /** Whether it may end here: nothing of it is, or may be, in the database. */
  mayEnd(lease: string): boolean;
  /** All its recipients are delivered: durable when it resolves; the journal is told. Errors as of `enter`. */
  end(lease: string, rows: readonly LoggedRecipient[]): Promise<void>;
  /** Into the database, those of them that are not: durable when it resolves. Errors: `store.full`, `store.unavailable`. */
  spill(leases: Iterable<string>): Promise<void>;
  /** Undefined: it is not spilling. */
  spilling(lease: string): Promise<void> | undefined;
  /**
   * Into the database together with changes of its rows, begun at once; resolves with what these did.
   * Undefined: its rows were there already, and nothing was changed. Only where it is not spilling. Errors as of `spill`.
   */
  spillWith(lease: string, changes: readonly Statement[]): Promise<readonly WriteResult[] | undefined>;
  /** All that it holds, as its rows would be: those that are not known to be in the database. */
  inMemory(): IteratorObject<InlineMessage>;
  /** By lease: where what it knows is durable. */
  states(): IterableIterator<readonly [lease: string, state: InlineState]>;
  /** Whether a message that it holds needs this file. */
  needs(blob: string): boolean;
  stop(): void;
}

interface InlineEntry extends InlineMessage {
  readonly hold: LedgerHold;
  readonly enteredAt: number;
  state: InlineState;
  /** Its rows are on their way; fulfilled however that ends. */
  spilling?: Promise<void> | undefined;
}

const nothing = (): void => undefined;

function move(entry: InlineEntry, name: keyof typeof inlineEntries): void {
  entry.state = inlineEntries[name](entry.state, entry.lease);
}

/** Over, and told to the journal, which has it on disk when it has this number there. */
interface Arrived {
  readonly number: number;
  readonly key: number;
  readonly hold: LedgerHold;
}

export interface LaneParts extends QueueParts {
  readonly ledger: Ledger;
  readonly sql: QueueStatements;
  readonly journaling: Journaling;
}

export function createLane({ ledger, database, sql, journal, journaling, clock, events }: LaneParts): Lane {
  const entries = new Map<string, InlineEntry>();
  const blobs = new Set<string>();
  let contentBytes = 0;
  let arrived: Arrived[] = [];
  let timer: TimerHandle | undefined;

  const take = ({ content, message, variant }: InlineMessage): void => {
    if (content.kind === 'blob') blobs.add(content.key);
    else contentBytes += message.size_bytes;
    for (const { blob, size_bytes } of variant?.splices ?? [])
      if (blob !== null) blobs.add(blob);
      else contentBytes += size_bytes;
  };
  const letGo = ({ content, message, variant }: InlineMessage): void => {
    if (content.kind === 'blob') blobs.delete(content.key);
    else contentBytes -= message.size_bytes;
    for (const { blob, size_bytes } of variant?.splices ?? [])
      if (blob !== null) blobs.delete(blob);
      else contentBytes -= size_bytes;
  };
  const leave = (entry: InlineEntry): void => {
    move(entry, 'leave');
    entries.delete(entry.lease);
    letGo(entry);
    journaling.landed(entry.message.key);
  };
  const holds = (lease: string): boolean => {
    const entry = entries.get(lease);
    return entry !== undefined && entry.state !== 'spilled' && entry.state !== 'leaving';
  };

  const unitOf = ({ lease, message, recipients, variant, content }: InlineEntry): Statement[] => {
    const lease_until = clock.now() + LEASE_MS;
    const unit = [sql.insertMessage(message)];
    for (const recipient of recipients) unit.push(sql.insertRecipient({ ...recipient, lease, lease_until }));
    if (variant) unit.push(...variantUnit(sql, variant));
    unit.push(sql.insertContent({ message: message.key, ...contentColumns(content) }));
    const mark = journaling.lowerMark(message.key);
    return mark ? [...unit, mark] : unit;
  };

  /** With changes of the rows in the same unit. Undefined: the rows were there already. */
  const insert = async (
    entry: InlineEntry,
    changes: readonly Statement[],
  ): Promise<readonly WriteResult[] | undefined> => {
    const rows = unitOf(entry);
    move(entry, 'spill');
    journaling.spills(entry.message.key);
    try {
      const results = await database.write([...rows, ...changes]);
      move(entry, 'spilled');
      return results.slice(rows.length);
    } catch (error) {
      if (isOperational(error, 'store.full')) move(entry, 'spillRefused');
      // An earlier write, that was told as failed, did come there.
      if (!isOperational(error, 'store.constraint') || !(await isThere(entry))) throw error;
      move(entry, 'spilled');
      return undefined;
    }
  };

  const isThere = async ({ message }: InlineEntry): Promise<boolean> =>
    rowsOf(await database.read(sql.message({ message: message.key }))).length > 0;

  /** Where its disk does not take it, the next look at what is old tries again. */
  const tellLedger = (entry: InlineEntry): void => {
    const { message, hold, state } = entry;
    if (state !== 'spilled') return;
    move(entry, 'tell');
    ledger.append(encodeNote({ kind: 'over', keys: [message.key] }), false, (error) => {
      if (error) {
        move(entry, 'tellFailed');
        return;
      }
      leave(entry);
      ledger.release(hold);
    });
  };

  const spillWith = (
    entry: InlineEntry,
    changes: readonly Statement[],
  ): Promise<readonly WriteResult[] | undefined> => {
    const inserted = insert(entry, changes).finally(() => {
      entry.spilling = undefined;
      tellLedger(entry);
    });
    entry.spilling = inserted.then(nothing, nothing);
    return inserted;
  };

  const spill = async (leases: Iterable<string>): Promise<void> => {
    const under: Promise<unknown>[] = [];
    for (const lease of leases) {
      const entry = entries.get(lease);
      // What another began may fail, and is then begun anew.
      if (entry?.spilling) under.push(entry.spilling.then(() => spill([lease])));
      else if (entry?.state === 'spilled') tellLedger(entry);
      else if (entry?.state === 'noted' || entry?.state === 'spilling') under.push(spillWith(entry, []));
    }
    for (const result of await Promise.allSettled(under)) if (result.status === 'rejected') throw result.reason;
  };

  /** The journal has them: their notes may go. */
  const forget = (durable: number): void => {
    let count = 0;
    while (count < arrived.length && arrived[count]!.number <= durable) count++;
    if (count === 0) return;
    const over = arrived.slice(0, count);
    arrived = arrived.slice(count);
    // Where the disk does not take it, the journal is told again after a crash, which changes nothing there.
    ledger.append(encodeNote({ kind: 'over', keys: over.map(({ key }) => key) }), false, () => undefined);
    for (const { hold } of over) ledger.release(hold);
  };
  // Never detached: what the journal has written by the time it is closed is no news to the next start.
  journal.onDurable(forget);

  const spillOld = (): void => {
    const age = ledger.segments() > INLINE_SEGMENTS ? SPILL_SOONER_MS : SPILL_AFTER_MS;
    const until = clock.monotonic() - age;
    const old: string[] = [];
    for (const { lease, enteredAt, state } of entries.values()) {
      if (enteredAt > until || old.length === SPILLED_AT_ONCE) break;
      if (state !== 'ending' && state !== 'leaving') old.push(lease);
    }
    spill(old).then(
      () => arm(SPILL_LOOK_MS),
      (error: Error) => {
        events.emit('queue.work-failed', { work: 'spill', error: error.message });
        arm(SPILL_AGAIN_MS);
      },
    );
  };
  const arm = (delayMs: number): void => {
    timer = entries.size > 0 && !stopped ? clock.after(delayMs, spillOld) : undefined;
  };
  let stopped = false;

  return {
    hasRoom: () =>
      entries.size + arrived.length < INLINE_MESSAGES &&
      contentBytes < INLINE_BYTES &&
      ledger.segments() < INLINE_SEGMENTS_MOST,
    enter(inline) {
      take(inline);
      return new Promise((resolve, reject) => {
        ledger.append(encodeAccepted(inline), true, (error, hold) => {
          if (error) {
            letGo(inline);
            reject(error);
            return;
          }
          entries.set(inline.lease, { ...inline, hold, enteredAt: clock.monotonic(), state: 'noted' });
          if (!timer) arm(SPILL_LOOK_MS);
          resolve();
        });
      });
    },
    holds,
    mayEnd: (lease) => entries.get(lease)?.state === 'noted',
    end(lease, rows) {
      const entry = entries.get(lease)!;
      move(entry, 'end');
      const { key } = entry.message;
      return new Promise((resolve, reject) => {
        ledger.append(encodeEnded(key, rows), false, (error) => {
          if (error) {
            move(entry, 'endFailed');
            reject(error);
            return;
          }
          leave(entry);
          let number = 0;
          for (const row of rows) number = journal.recipient(row);
          arrived.push({ number, key, hold: entry.hold });
          resolve();
        });
      });
    },
    spill,
    spilling: (lease) => entries.get(lease)?.spilling,
    spillWith: (lease, changes) => spillWith(entries.get(lease)!, changes),
    inMemory: () => entries.values().filter(({ lease }) => holds(lease)),
    states: () => entries.values().map(({ lease, state }) => [lease, state] as const),
    needs: (blob) => blobs.has(blob),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
