/** The plain model of a queue: active rows and how the others ended; nothing of leases, ledgers or memory. */
import assert from 'node:assert/strict';
import type { HoldClass } from '../../../../src/model/finding.ts';
import type { HoldEnd } from '../../../../src/queue/contract.ts';

let epochs = 0;
export const newEpoch = (): number => ++epochs;

export const EXPIRY_MS = 5 * 24 * 3_600_000;
export const DESTINATIONS = ['a.example', 'b.example', 'c.example'];
export const AUTHORS = [undefined, 'mallory@local.example', 'bob@local.example'];

export interface Row {
  readonly id: string;
  readonly to: string;
  readonly author: string | undefined;
  readonly state: 'queued' | 'held';
  readonly class: HoldClass | null;
  readonly until: HoldEnd | undefined;
  readonly attempts: number;
  readonly queuedAt: number;
  /** Another one whenever its claim is over or void, and of no other row. */
  readonly epoch: number;
  /** Its try goes on, and it is held if that does not end it. */
  readonly wanted?: { readonly class: HoldClass; readonly until: HoldEnd | undefined };
}

export type Rows = ReadonlyMap<string, Row>;

/** The plain model: active rows, and how the others ended. */
export interface Model {
  rows: Rows;
  ends: Map<string, string>;
  /** Messages whose content another room owns too, each with the owner. */
  kept: ReadonlySet<string>;
}

/** As far as the model goes. */
export type Shown = Pick<Row, 'to' | 'state' | 'class' | 'attempts'> & { readonly until: string | null };

export function shownOf({ to, state, class: decides, until, attempts }: Row): Shown {
  return { to, state, class: decides, until: until ? `${until.to} at ${until.at}` : null, attempts };
}

export function put(model: Model, row: Row): void {
  model.rows = new Map(model.rows).set(row.id, row);
}

export function end(model: Model, row: Row, state: string): void {
  const rows = new Map(model.rows);
  rows.delete(row.id);
  model.rows = rows;
  model.ends.set(`${row.id.split('.')[0]} ${row.to}`, state);
}

export const mayHaveExpired = (row: Row, now: number): boolean =>
  row.state === 'queued' && row.queuedAt + EXPIRY_MS <= now;

/** Each row must be as in one of `allowed`; which it is, the model takes over. */
export function adopt(
  model: Model,
  seen: ReadonlyMap<string, Shown>,
  allowed: readonly Rows[],
  now: number,
  mayEnd: (id: string) => boolean,
): void {
  const next = new Map<string, Row>();
  for (const [id, shown] of seen) {
    const candidates = allowed.map((rows) => rows.get(id)).filter((row) => row !== undefined);
    const fits = candidates.find((row) => JSON.stringify(shownOf(row)) === JSON.stringify(shown));
    assert.ok(
      fits,
      `${id} is ${JSON.stringify(shown)}; expected ${candidates.map((row) => JSON.stringify(shownOf(row))).join(' or ') || 'no such row'}`,
    );
    next.set(id, fits);
  }
  for (const rows of allowed) {
    for (const [id, row] of rows) {
      if (seen.has(id)) continue;
      const gone = allowed.some((other) => !other.has(id)) || mayEnd(id) || mayHaveExpired(row, now);
      assert.ok(gone, `${id} is lost; expected ${JSON.stringify(shownOf(row))}`);
    }
  }
  model.rows = next;
}

export type Outcome = 'relayed' | 'deferred' | 'failed' | 'nothing';

export function answered(model: Model, row: Row, outcome: Outcome, now: number): void {
  const attempts = row.attempts + (outcome === 'deferred' ? 1 : 0);
  const epoch = newEpoch();
  if (outcome === 'relayed') end(model, row, 'relayed');
  else if (outcome === 'failed') end(model, row, 'bounced');
  else if (outcome === 'deferred' && row.queuedAt + EXPIRY_MS <= now) end(model, row, 'expired');
  else if (row.wanted) put(model, { ...without(row), state: 'held', ...row.wanted, attempts, epoch });
  else put(model, { ...row, attempts, epoch });
}

export function without({ wanted: _, ...row }: Row): Row {
  return row;
}

export type Act =
  | 'retry'
  | 'hold'
  | 'hold for a minute'
  | 'release'
  | 'delete'
  | 'bounce'
  | 'redirect'
  | 'reclass'
  | 'release own';

export function acted(
  model: Model,
  row: Row,
  act: Act,
  { now, until }: { now: number; until: HoldEnd | undefined },
): void {
  const free = without(row);
  const epoch = newEpoch();
  const isHeld = row.state === 'held';
  const released = { ...free, state: 'queued' as const, class: null, until: undefined, queuedAt: now };
  if (act === 'delete') end(model, row, 'deleted');
  else if (act === 'bounce') end(model, row, 'bounced');
  else if (act === 'redirect') {
    end(model, row, 'redirected');
    const [of] = row.id.split('.');
    let n = Number(row.id.split('.')[1]);
    for (const { id } of model.rows.values()) if (id.startsWith(`${of}.`)) n = Math.max(n, Number(id.split('.')[1]));
    put(model, { ...released, id: `${of}.${n + 1}`, to: 'r@c.example', attempts: 0, epoch: newEpoch() });
  } else if (act === 'hold' || act === 'hold for a minute') {
    if (!isHeld) put(model, { ...free, state: 'held', class: 'operator', until, epoch });
  } else if (act === 'release' && isHeld) put(model, released);
  else if (act === 'release own' && isHeld && row.class === 'user' && row.to === 'r0@a.example') put(model, released);
  else if (act === 'reclass' && isHeld) put(model, { ...row, class: 'operator' });
}
