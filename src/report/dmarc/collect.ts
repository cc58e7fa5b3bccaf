/**
 * Counts the results of DMARC, by day, policy domain and row, in memory for a second and then on disk.
 *
 * Costs a message one look-up. A kill loses a second of counts, never mail. Bounded: once a report has its maximum of
 * rows, new ones are only counted as left out, and known ones still count.
 */
import { createHash } from 'node:crypto';
import type { DmarcRecord } from '../../screen/checks/origin/types.ts';
import type { Settings } from '../../settings/contract.ts';
import type { Database, Statement } from '../../store/contract.ts';
import type { Clock, TimerHandle } from '../../world/clock.ts';
import type { Events } from '../../world/events.ts';
import { FLUSH_EVERY_MS, PENDING_ROWS } from '../limits.ts';
import { dayOf } from '../schema.ts';
import { reportSettings } from '../settings.ts';
import type { Counted, CountedRow } from './row.ts';
import { createSizes } from './sizes.ts';
import { dmarcStatements } from './statements.ts';

export interface DmarcCollector {
  /** `at`: milliseconds since the epoch. Cheap, and never throws. */
  message(at: number, counted: Counted): void;
  /** Everything counted so far is on disk, or reported as lost. */
  flush(): Promise<void>;
  /** Flushes, and stops counting. */
  close(): Promise<void>;
}

export interface CollectorServices {
  readonly database: Database;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly events: Events;
}

interface Pending {
  readonly day: number;
  readonly domain: string;
  policy: DmarcRecord;
  leftOut: number;
  /** Messages by row. */
  readonly rows: Map<string, number>;
}

export function createDmarcCollector(services: CollectorServices): DmarcCollector {
  const { database, settings, clock, events } = services;
  const sql = dmarcStatements(database.dialect);
  const sizes = createSizes(database, sql);
  let pending = new Map<string, Pending>();
  let pendingRows = 0;
  let timer: TimerHandle | undefined;
  let flushing: Promise<void> | undefined;
  let closed = false;

  function place(day: number, domain: string, policy: DmarcRecord): Pending {
    const key = `${day} ${domain}`;
    const found = pending.get(key);
    if (found) {
      found.policy = policy;
      return found;
    }
    const added: Pending = { day, domain, policy, leftOut: 0, rows: new Map() };
    pending.set(key, added);
    return added;
  }

  function count(into: Pending, row: string, messages: number): void {
    const before = into.rows.get(row);
    if (before === undefined && pendingRows >= PENDING_ROWS) {
      into.leftOut += messages;
      return;
    }
    if (before === undefined) pendingRows++;
    into.rows.set(row, (before ?? 0) + messages);
  }

  /** The disk does not take it now: it waits together with newer counts. */
  function putBack(batch: ReadonlyMap<string, Pending>): void {
    for (const { day, domain, policy, leftOut, rows } of batch.values()) {
      const into = place(day, domain, policy);
      into.leftOut += leftOut;
      for (const [row, messages] of rows) count(into, row, messages);
    }
  }

  /** First the known rows, in one unit; then the new ones, as far as there is room. */
  async function write(batch: Map<string, Pending>): Promise<void> {
    const counted = [...batch.values()].flatMap((of) =>
      [...of.rows].map(([row, messages]) => ({ of, row, messages, key: keyOf(row) })),
    );
    const known = await database.write(
      counted.map(({ of: { day, domain }, key, messages }) => sql.addToKnown({ day, domain, key, messages })),
    );
    const unknown = counted.filter((_, at) => known[at]!.changes === 0);
    // Written counts must not be written again if the rest fails.
    for (const { of } of counted) of.rows.clear();
    for (const { of, row, messages } of unknown) of.rows.set(row, messages);
    const unit: Statement[] = [];
    const leftOut = new Map<Pending, number>();
    for (const { of, row, messages, key } of unknown) {
      const { day, domain } = of;
      if (await sizes.takeRow(day, domain, sourceOf(row))) unit.push(sql.add({ day, domain, key, row, messages }));
      else leftOut.set(of, (leftOut.get(of) ?? 0) + messages);
    }
    for (const one of batch.values()) {
      const { day, domain, policy } = one;
      const left_out = one.leftOut + (leftOut.get(one) ?? 0);
      unit.push(sql.seen({ day, domain, policy: JSON.stringify(policy), left_out }));
    }
    await database.write(unit);
  }

  async function flushOnce(): Promise<void> {
    if (pending.size === 0) return;
    const batch = pending;
    pending = new Map();
    pendingRows = 0;
    try {
      await write(batch);
    } catch (error) {
      sizes.forget();
      putBack(batch);
      events.emit('report.rows-unwritten', { rows: pendingRows, error: (error as Error).message });
    }
  }

  function flush(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    flushing = (flushing ?? Promise.resolve()).then(flushOnce).then(() => {
      if (pending.size > 0 && !closed) arm();
    });
    return flushing;
  }

  function arm(): void {
    timer ??= clock.after(FLUSH_EVERY_MS, () => void flush());
  }

  return {
    message(at, counted) {
      if (closed || counted.policy.rua.length === 0 || !settings.current().get(reportSettings.aggregate)) return;
      count(place(dayOf(at), counted.domain, counted.policy), JSON.stringify(counted.row), 1);
      arm();
    },
    flush,
    async close() {
      closed = true;
      await flush();
    },
  };
}

/** `row`: from row.ts. */
function sourceOf(row: string): string {
  return (JSON.parse(row) as CountedRow).sourceIp;
}

function keyOf(row: string): string {
  return createHash('sha256').update(row).digest('base64url').slice(0, 22);
}
