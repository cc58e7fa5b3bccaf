/** What may happen to a queue, and what the model makes of it. */
import type { AttemptResult, HoldEnd, NewRecipient } from '../../../../src/queue/contract.ts';
import { address, deferred, failed, message, recipient, relayed } from '../queue.ts';
import {
  type Act,
  AUTHORS,
  acted,
  answered,
  DESTINATIONS,
  type Model,
  newEpoch,
  type Outcome,
  put,
  type Row,
  without,
} from './model.ts';
import { inTime, type Real } from './real.ts';

export type Target = { readonly all: true } | { readonly nth: number };

/** One thing that happens: to the queue, and to the model. */
export interface Step {
  readonly name: string;
  /** Undefined: it cannot happen now. `after` changes the model once `done` has resolved. */
  start(model: Model, real: Real): Promise<Started | undefined> | Started | undefined;
}

export interface Started {
  readonly done: Promise<unknown>;
  after(model: Model, result: unknown): void;
}

export function chosen(model: Model, target: Target): readonly Row[] {
  const rows = [...model.rows.values()];
  if ('all' in target) return rows;
  return rows.length === 0 ? [] : [rows[target.nth % rows.length]!];
}

export const selection = (target: Target, rows: readonly Row[]) =>
  'all' in target ? { filter: {} } : { ids: rows.map(({ id }) => id) };

/** By recipient: the first gets what was received, the others a variant each. */
const EDITS: NewRecipient['edits'] = [{ kind: 'prepend', raw: 'X-Checked: yes\r\n' }];
const VARIANTS: readonly Pick<NewRecipient, 'edits' | 'splices'>[] = [
  {},
  { edits: EDITS },
  { edits: EDITS, splices: [{ offset: 2, length: 2, with: Buffer.from('instead'), body: '7BIT' }] },
];

export type Fate = 'queued' | 'user' | 'admin' | 'timed' | 'doomed' | 'discarded';

export function commitStep(author: number, fates: readonly { readonly to: number; readonly fate: Fate }[]): Step {
  return {
    name: `commit by ${AUTHORS[author] ?? 'a stranger'} to ${fates.map(({ to, fate }) => `${to} ${fate}`).join(', ')}`,
    async start(_, real) {
      const now = real.clock.now();
      const untilOf = (fate: Fate): HoldEnd | undefined =>
        fate === 'timed'
          ? { at: now + 60_000, to: 'queued' }
          : fate === 'doomed'
            ? { at: now + 60_000, to: 'deleted' }
            : undefined;
      const recipients = fates.map(({ to, fate }, n): NewRecipient => {
        const until = untilOf(fate);
        const state =
          fate === 'queued'
            ? 'queued'
            : fate === 'discarded'
              ? { discarded: 'no' }
              : {
                  held: fate === 'admin' ? ('admin' as const) : ('user' as const),
                  reason: 'why',
                  ...(until && { until }),
                };
        return recipient(`r${n}@${DESTINATIONS[to]}`, { state, ...VARIANTS[n] });
      });
      const made = await message(real.node, recipients, {
        reversePath: null,
        ...(AUTHORS[author] && { author: AUTHORS[author] }),
      });
      return {
        done: real.node.queue.commit(made),
        after(model) {
          fates.forEach(({ fate }, n) => {
            const to = recipients[n]!.address.text;
            const id = `${made.id}.${n}`;
            if (fate === 'discarded') {
              model.ends.set(`${made.id} ${to}`, 'discarded');
              return;
            }
            const isQueued = fate === 'queued';
            put(model, {
              id,
              to,
              author: AUTHORS[author],
              state: isQueued ? 'queued' : 'held',
              class: isQueued ? null : fate === 'admin' ? 'admin' : 'user',
              until: untilOf(fate),
              attempts: 0,
              queuedAt: now,
              epoch: newEpoch(),
            });
          });
        },
      };
    },
  };
}

export function settleStep(nth: number, outcomes: readonly Outcome[]): Step {
  return {
    name: `the next host answers: ${outcomes.join(', ')} (${nth})`,
    start(_, real) {
      const taken = real.taken[nth % Math.max(1, real.taken.length)];
      if (!taken) return undefined;
      real.taken = real.taken.filter((one) => one !== taken);
      const { claim, epochs } = taken;
      const make = { relayed, deferred, failed };
      const given = new Map<number, Outcome>();
      const results: AttemptResult[] = [];
      claim.recipients.forEach(({ row }, at) => {
        const outcome = outcomes[at % outcomes.length]!;
        given.set(row, outcome);
        if (outcome !== 'nothing') results.push(make[outcome](row));
      });
      const now = real.clock.now();
      return {
        done: real.node.queue.settle(claim, results),
        after(model) {
          for (const { row: n } of claim.recipients) {
            const id = `${claim.message.id}.${n}`;
            const row = model.rows.get(id);
            // An act took it meanwhile.
            if (!row || row.epoch !== epochs.get(id) || row.state !== 'queued') continue;
            answered(model, row, given.get(n)!, now);
          }
        },
      };
    },
  };
}

export function actStep(act: Act, target: Target): Step {
  return {
    name: `${act} ${'all' in target ? 'all' : `row ${target.nth}`}`,
    start(model, real) {
      const rows = chosen(model, target);
      if (rows.length === 0 && !('all' in target)) return undefined;
      const { admin } = real.node.queue;
      const what = selection(target, rows);
      const now = real.clock.now();
      const until: HoldEnd | undefined = act === 'hold for a minute' ? { at: now + 60_000, to: 'queued' } : undefined;
      const does: Readonly<Record<Act, () => Promise<number>>> = {
        retry: () => admin.retry(what, 'root'),
        hold: () => admin.hold(what, 'why', 'root'),
        'hold for a minute': () => admin.hold(what, 'why', 'root', until),
        release: () => admin.release(what, 'root'),
        delete: () => admin.delete(what, 'root'),
        bounce: () => admin.bounce(what, 'why', 'root'),
        redirect: () => admin.redirect(what, address('r@c.example'), 'root'),
        reclass: () => admin.reclass(what, 'operator', 'root'),
        'release own': () => admin.releaseOwn(what, { account: 'r0@a.example', addresses: ['r0@a.example'] }),
      };
      return {
        done: does[act](),
        after(after) {
          for (const { id } of rows) {
            const row = after.rows.get(id);
            if (row) acted(after, row, act, { now: real.clock.now(), until });
          }
        },
      };
    },
  };
}

export function holdAuthorStep(author: number, stops: boolean, timed: boolean): Step {
  const name = AUTHORS[author]!;
  return {
    name: `hold all of ${name}${timed ? ' for a minute' : ''}, tries can${stops ? '' : 'not'} be stopped`,
    start(_, real) {
      real.stops = stops;
      const until: HoldEnd | undefined = timed ? { at: real.clock.now() + 60_000, to: 'queued' } : undefined;
      const hold = { class: 'admin', reason: 'frozen', ...(until && { until }) } as const;
      const late = stops ? [] : [...real.taken];
      return {
        done: real.node.queue.admin.holdAuthor(name, hold, 'root'),
        after(model) {
          for (const row of model.rows.values()) {
            if (row.author !== name || row.state !== 'queued') continue;
            const goesOn = late.some(({ epochs }) => epochs.get(row.id) === row.epoch);
            const epoch = newEpoch();
            if (goesOn) put(model, { ...row, wanted: { class: 'admin', until } });
            else put(model, { ...without(row), state: 'held', class: 'admin', until, epoch });
          }
        },
      };
    },
  };
}

/** Another room owns the content of a message too, as a mailbox does. */
export function keepStep(nth: number): Step {
  return {
    name: `a mailbox keeps the content of row ${nth}`,
    async start(model, real) {
      const [row] = chosen(model, { nth });
      const id = row?.id.split('.')[0];
      if (id === undefined || model.kept.has(`${id} mailbox`)) return undefined;
      const { queue, store } = real.node;
      // What is inline has no content to own yet.
      await inTime(real, queue.admin.show(id));
      return {
        done: store.database.write(queue.owners.keep(id, 'mailbox')).then(
          () => true,
          () => false,
        ),
        after(after, isKept) {
          if (isKept !== false) after.kept = new Set([...after.kept, `${id} mailbox`]);
        },
      };
    },
  };
}

export function letGoStep(nth: number): Step {
  return {
    name: `the mailbox lets go of content ${nth}`,
    start(model, real) {
      const kept = [...model.kept];
      const one = kept[nth % Math.max(1, kept.length)];
      if (one === undefined) return undefined;
      return {
        done: real.node.queue.owners.release(one.split(' ')[0]!, 'mailbox'),
        after(after) {
          after.kept = new Set([...after.kept].filter((other) => other !== one));
        },
      };
    },
  };
}

export const idle: Step = { name: 'nothing', start: () => undefined };

export const nothing: Started = { done: Promise.resolve(), after: () => undefined };

export function worldStep(what: 'no room' | 'room' | 'back-off', destination: number): Step {
  return {
    name: what === 'back-off' ? `${DESTINATIONS[destination]} cannot be connected to` : `the dispatcher has ${what}`,
    start(_, real) {
      const { queue } = real.node;
      if (what === 'back-off') queue.destinationFailed(DESTINATIONS[destination]!, 'cannot connect');
      else {
        real.places = what === 'room' ? 1000 : 0;
        queue.wake();
      }
      return nothing;
    },
  };
}

export function timeStep(ms: number): Step {
  return {
    name: `${ms / 1000} s pass`,
    async start(_, real) {
      await real.clock.advance(ms);
      return nothing;
    },
  };
}
