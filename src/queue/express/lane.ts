/**
 * The express way: a message whose recipients travel together, to a destination with room, is noted in
 * the ledger and in memory only. It has a lease from the beginning, as a claim has; most are delivered
 * within a second, and never see the database.
 *
 * What is not over soon boards: its rows go into the database under the lease that it has, and from
 * then on it is as any other. So does what an operator wants to see, what cannot be delivered at the
 * first try, and what a destination in back-off gives back. The ledger is told behind it; until it
 * knows, a row of the message stays in the database, so that a crash brings nothing back.
 */
import type { RecipientRow as LoggedRecipient } from '../../journal/contract.ts';
import { isOperational } from '../../model/errors.ts';
import type { LedgerHold, Statement, WriteResult } from '../../store/contract.ts';
import type { TimerHandle } from '../../world/clock.ts';
import type { Journaling } from '../journaling.ts';
import {
  BOARD_AFTER_MS,
  BOARD_AGAIN_MS,
  BOARD_LOOK_MS,
  BOARD_SOONER_MS,
  BOARDED_AT_ONCE,
  EXPRESS_BYTES,
  EXPRESS_MESSAGES,
  EXPRESS_SEGMENTS,
  EXPRESS_SEGMENTS_MOST,
  LEASE_MS,
} from '../limits.ts';
import type { QueueParts } from '../parts.ts';
import { contentColumns } from '../rows.ts';
import { type QueueStatements, rowsOf } from '../statements.ts';
import { type Accepted, encodeAccepted, encodeEnded, encodeNote } from './notes.ts';

/** Its content is in memory until it is over or in the database: not to be released before. */
export interface ExpressMessage extends Accepted {
  readonly lease: string;
}

export interface Lane {
  /** False: messages go into the database, as the journal or the disk is behind. */
  hasRoom(): boolean;
  /** Durable when it resolves. Errors: `store.full`, `store.unavailable`. */
  enter(express: ExpressMessage): Promise<void>;
  /** Whether its rows are not in the database. */
  holds(lease: string): boolean;
  /** Whether it may end here: nothing of it is, or may be, in the database. */
  mayEnd(lease: string): boolean;
  /** All its recipients are delivered: durable when it resolves; the journal is told. Errors as of `enter`. */
  end(lease: string, rows: readonly LoggedRecipient[]): Promise<void>;
  /** Into the database, those of them that are not: durable when it resolves. Errors: `store.full`, `store.unavailable`. */
  board(leases: Iterable<string>): Promise<void>;
  /** Undefined: it is not boarding. */
  boarding(lease: string): Promise<void> | undefined;
  /**
   * Into the database together with changes of its rows, begun at once; resolves with what these did.
   * Undefined: its rows were there already, and nothing was changed. Only where it is not boarding. Errors as of `board`.
   */
  boardWith(lease: string, changes: readonly Statement[]): Promise<readonly WriteResult[] | undefined>;
  boardAll(): Promise<void>;
  /** Whether a message that it holds needs this file. */
  needs(blob: string): boolean;
  stop(): void;
}

interface Passenger extends ExpressMessage {
  readonly hold: LedgerHold;
  readonly enteredAt: number;
  /**
   * `boarding` it stays until it is known to be in the database: a write that failed may have come there
   * all the same. `boarded`: it is, and the ledger does not know; `leaving`: it is being told.
   */
  state: 'waiting' | 'ending' | 'boarding' | 'boarded' | 'leaving';
  /** Its rows are on their way; fulfilled however that ends. */
  boarding?: Promise<void> | undefined;
}

const nothing = (): void => undefined;

/** Over, and told to the journal, which has it on disk when it has this number there. */
interface Arrived {
  readonly number: number;
  readonly key: number;
  readonly hold: LedgerHold;
}

export interface LaneParts extends QueueParts {
  readonly sql: QueueStatements;
  readonly journaling: Journaling;
}

export function createLane({ ledger, database, sql, journal, journaling, clock, events }: LaneParts): Lane {
  const passengers = new Map<string, Passenger>();
  const blobs = new Set<string>();
  let contentBytes = 0;
  let arrived: Arrived[] = [];
  let timer: TimerHandle | undefined;

  const take = ({ content, message }: ExpressMessage): void => {
    if (content.kind === 'blob') blobs.add(content.key);
    else contentBytes += message.size_bytes;
  };
  const letGo = ({ content, message }: ExpressMessage): void => {
    if (content.kind === 'blob') blobs.delete(content.key);
    else contentBytes -= message.size_bytes;
  };
  const leave = (passenger: Passenger): void => {
    passengers.delete(passenger.lease);
    letGo(passenger);
    journaling.landed(passenger.message.key);
  };
  const holds = (lease: string): boolean => {
    const passenger = passengers.get(lease);
    return passenger !== undefined && passenger.state !== 'boarded' && passenger.state !== 'leaving';
  };

  const unitOf = ({ lease, message, recipients, content }: Passenger): Statement[] => {
    const lease_until = clock.now() + LEASE_MS;
    const unit = [sql.insertMessage(message)];
    for (const recipient of recipients) unit.push(sql.insertRecipient({ ...recipient, lease, lease_until }));
    unit.push(sql.insertContent({ message: message.key, ...contentColumns(content) }));
    const mark = journaling.lowerMark(message.key);
    return mark ? [...unit, mark] : unit;
  };

  /** With changes of the rows in the same unit. Undefined: the rows were there already. */
  const insert = async (
    passenger: Passenger,
    changes: readonly Statement[],
  ): Promise<readonly WriteResult[] | undefined> => {
    const rows = unitOf(passenger);
    passenger.state = 'boarding';
    journaling.boards(passenger.message.key);
    try {
      const results = await database.write([...rows, ...changes]);
      passenger.state = 'boarded';
      return results.slice(rows.length);
    } catch (error) {
      if (isOperational(error, 'store.full')) passenger.state = 'waiting';
      // An earlier write, that was told as failed, did come there.
      if (!isOperational(error, 'store.constraint') || !(await isThere(passenger))) throw error;
      passenger.state = 'boarded';
      return undefined;
    }
  };

  const isThere = async ({ message }: Passenger): Promise<boolean> =>
    rowsOf(await database.read(sql.message({ message: message.key }))).length > 0;

  /** Where its disk does not take it, the next look at what is old tries again. */
  const tellLedger = (passenger: Passenger): void => {
    const { message, hold, state } = passenger;
    if (state !== 'boarded') return;
    passenger.state = 'leaving';
    ledger.append(encodeNote({ kind: 'over', keys: [message.key] }), false, (error) => {
      if (error) {
        passenger.state = 'boarded';
        return;
      }
      leave(passenger);
      ledger.release(hold);
    });
  };

  const boardWith = (
    passenger: Passenger,
    changes: readonly Statement[],
  ): Promise<readonly WriteResult[] | undefined> => {
    const inserted = insert(passenger, changes).finally(() => {
      passenger.boarding = undefined;
      tellLedger(passenger);
    });
    passenger.boarding = inserted.then(nothing, nothing);
    return inserted;
  };

  const board = async (leases: Iterable<string>): Promise<void> => {
    const under: Promise<unknown>[] = [];
    for (const lease of leases) {
      const passenger = passengers.get(lease);
      // What another began may fail, and is then begun anew.
      if (passenger?.boarding) under.push(passenger.boarding.then(() => board([lease])));
      else if (passenger?.state === 'boarded') tellLedger(passenger);
      else if (passenger?.state === 'waiting' || passenger?.state === 'boarding') under.push(boardWith(passenger, []));
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

  const boardOld = (): void => {
    const age = ledger.segments() > EXPRESS_SEGMENTS ? BOARD_SOONER_MS : BOARD_AFTER_MS;
    const until = clock.monotonic() - age;
    const old: string[] = [];
    for (const { lease, enteredAt, state } of passengers.values()) {
      if (enteredAt > until || old.length === BOARDED_AT_ONCE) break;
      if (state !== 'ending' && state !== 'leaving') old.push(lease);
    }
    board(old).then(
      () => arm(BOARD_LOOK_MS),
      (error: Error) => {
        events.emit('queue.work-failed', { work: 'board', error: error.message });
        arm(BOARD_AGAIN_MS);
      },
    );
  };
  const arm = (delayMs: number): void => {
    timer = passengers.size > 0 && !stopped ? clock.after(delayMs, boardOld) : undefined;
  };
  let stopped = false;

  return {
    hasRoom: () =>
      passengers.size + arrived.length < EXPRESS_MESSAGES &&
      contentBytes < EXPRESS_BYTES &&
      ledger.segments() < EXPRESS_SEGMENTS_MOST,
    enter(express) {
      take(express);
      return new Promise((resolve, reject) => {
        ledger.append(encodeAccepted(express), true, (error, hold) => {
          if (error) {
            letGo(express);
            reject(error);
            return;
          }
          passengers.set(express.lease, { ...express, hold, enteredAt: clock.monotonic(), state: 'waiting' });
          if (!timer) arm(BOARD_LOOK_MS);
          resolve();
        });
      });
    },
    holds,
    mayEnd: (lease) => passengers.get(lease)?.state === 'waiting',
    end(lease, rows) {
      const passenger = passengers.get(lease)!;
      passenger.state = 'ending';
      const { key } = passenger.message;
      return new Promise((resolve, reject) => {
        ledger.append(encodeEnded(key, rows), false, (error) => {
          if (error) {
            passenger.state = 'waiting';
            reject(error);
            return;
          }
          leave(passenger);
          let number = 0;
          for (const row of rows) number = journal.recipient(row);
          arrived.push({ number, key, hold: passenger.hold });
          resolve();
        });
      });
    },
    board,
    boarding: (lease) => passengers.get(lease)?.boarding,
    boardWith: (lease, changes) => boardWith(passengers.get(lease)!, changes),
    boardAll: () => board([...passengers.keys()]),
    needs: (blob) => blobs.has(blob),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
