/**
 * Acts in the background: started by one client, observed and cancelled by others. A run is a row from its beginning
 * on; its progress is in memory, and in the row once it has ended. Runs that were under way when the node stopped or
 * crashed are listed as interrupted: nothing resumes by itself.
 *
 * Errors: OperationalError `operation.busy`, and those of the database.
 */
import { OperationalError } from '../model/errors.ts';
import type { Page } from '../model/page.ts';
import { pageOf } from '../model/page.ts';
import { BACKGROUND_RUNS, OUTCOME_CHARACTERS } from './limits.ts';
import { type RunRow, type RunState, runStatements } from './runs-schema.ts';
import type { OperationServices } from './services.ts';

/** How a long act reports its progress, and learns that it must stop. */
export interface Progress {
  readonly signal: AbortSignal;
  /** Call it when so many more rows are done. */
  done(count: number): void;
}

/** For an act whose client waits for the answer. */
export const NO_PROGRESS: Progress = { signal: new AbortController().signal, done: () => undefined };

export interface Run {
  readonly id: string;
  readonly operation: string;
  readonly actor: string;
  readonly input: string;
  readonly state: RunState;
  readonly done: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Its answer; absent before its end, and if it is too long to keep. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Runs {
  /** `work` begins once this has resolved; its result is in the run. */
  begin(about: Pick<Run, 'operation' | 'actor' | 'input'>, work: (live: LiveRun) => Promise<unknown>): Promise<Run>;
  list(page: { readonly actor?: string; readonly limit: number; readonly after?: string }): Promise<Page<Run>>;
  find(id: string): Promise<Run | undefined>;
  /** False: it has ended, or belongs to another node. */
  cancel(id: string): boolean;
  /** Marks runs that an earlier start of this node left; never throws. */
  recover(): Promise<void>;
  /** Interrupts all runs, and waits for them. */
  close(): Promise<void>;
}

export interface LiveRun extends Progress {
  /** Call it when its turn has come. */
  running(): void;
}

interface Live {
  state: 'waiting' | 'running';
  done: number;
  readonly stop: AbortController;
  ended: Promise<void>;
}

/** Why a run is stopped. */
const CANCELLED = 'cancelled';
const STOPPING = 'interrupted';

type Services = Pick<OperationServices, 'database' | 'clock' | 'random' | 'nodeName'>;

export function createRuns({ database, clock, random, nodeName }: Services): Runs {
  const statements = runStatements(database.dialect);
  const live = new Map<string, Live>();

  async function work(id: string, entry: Live, act: (run: LiveRun) => Promise<unknown>): Promise<void> {
    const run: LiveRun = {
      signal: entry.stop.signal,
      done(count) {
        entry.done = count;
      },
      running() {
        entry.state = 'running';
      },
    };
    let state: RunState = 'done';
    let outcome: string | null;
    try {
      outcome = JSON.stringify({ output: (await act(run)) ?? null });
    } catch (error) {
      const { code = 'defect', message } = error as { readonly code?: string; readonly message: string };
      state = 'failed';
      outcome = JSON.stringify({ error: { code, message } });
    }
    if (entry.stop.signal.aborted) state = entry.stop.signal.reason as RunState;
    const kept = outcome.length <= OUTCOME_CHARACTERS ? outcome : null;
    const change = { id, state, done: entry.done, ended_at: clock.now(), outcome: kept };
    // If this cannot be written now, the run is marked at the next start.
    await database.write([statements.change(change)]).catch(() => undefined);
    live.delete(id);
  }

  const shown = (row: RunRow): Run => {
    const now = live.get(row.id);
    const over = row.ended_at !== null;
    const outcome = row.outcome === null ? {} : (JSON.parse(row.outcome) as Pick<Run, 'output' | 'error'>);
    return {
      id: row.id,
      operation: row.operation,
      actor: row.actor,
      input: row.input,
      state: now?.state ?? row.state,
      done: now?.done ?? Number(row.done),
      startedAt: new Date(Number(row.started_at)).toISOString(),
      endedAt: over ? new Date(Number(row.ended_at)).toISOString() : null,
      ...outcome,
    };
  };

  return {
    async begin({ operation, actor, input }, act) {
      if (live.size >= BACKGROUND_RUNS)
        throw new OperationalError(
          'operation.busy',
          `cannot begin ${operation}, as there must be fewer than ${BACKGROUND_RUNS} acts in the background: try again later`,
        );
      const at = clock.now();
      const id = `${at.toString(36).padStart(9, '0')}${Buffer.from(random.bytes(4)).toString('hex')}`;
      const row: RunRow = {
        id,
        node: nodeName,
        operation,
        actor,
        input,
        state: 'waiting',
        done: 0,
        started_at: at,
        ended_at: null,
        outcome: null,
      };
      const entry: Live = { state: 'waiting', done: 0, stop: new AbortController(), ended: Promise.resolve() };
      live.set(id, entry);
      try {
        await database.write([statements.add(row), statements.trim({})]);
      } catch (error) {
        live.delete(id);
        throw error;
      }
      entry.ended = work(id, entry, act);
      return shown(row);
    },
    async list({ actor, limit, after }) {
      const page = { actor: actor ?? null, after: after ?? '~', limit: limit + 1 };
      const rows = (await database.read(statements.page(page))) as unknown as RunRow[];
      return pageOf(rows.map(shown), limit, ({ id }) => id);
    },
    async find(id) {
      const [row] = (await database.read(statements.one({ id }))) as unknown as RunRow[];
      return row && shown(row);
    },
    cancel(id) {
      const entry = live.get(id);
      entry?.stop.abort(CANCELLED);
      return entry !== undefined;
    },
    async recover() {
      try {
        if ((await database.read(statements.unfinished({ node: nodeName }))).length === 0) return;
        await database.write([statements.interrupt({ node: nodeName, ended_at: clock.now() })]);
      } catch {
        // The next start marks them.
      }
    },
    async close() {
      for (const { stop } of live.values()) stop.abort(STOPPING);
      await Promise.all([...live.values()].map(({ ended }) => ended));
    },
  };
}
