/**
 * Running checks: what those that began together and are awaited together may use, and how they are stopped: at the
 * bound of the stage that awaits them, and when the session or the transaction ends. Then their signal fires, and
 * their look-ups give their places back.
 *
 * A stopped check may return anything, or fail: the result is ignored, and it is no defect.
 */
import type { CheckServices, CheckStage } from './check.ts';

/** The services that a transaction, or a session before it, gives to all its checks. */
export type TransactionServices = Omit<CheckServices, 'signal'> & { readonly runs: Runs };

export interface Run {
  readonly services: CheckServices;
  /** The stage that judges its checks. */
  readonly awaitedAt: CheckStage;
  /** One more of its checks is unanswered. */
  began(): void;
  answered(): void;
  /** Ends the work of its checks. */
  stop(): void;
  isStopped(): boolean;
}

/** Runs with unanswered checks. Bounded by the checks of a transaction, as each counts until it answers. */
export interface Runs {
  readonly atWork: Set<Run>;
  isOver: boolean;
}

const STOPPED = new Error('the check was stopped, as nobody waits for its answer');

export function createRuns(): Runs {
  return { atWork: new Set(), isOver: false };
}

export function createRun(shared: TransactionServices, awaitedAt: CheckStage): Run {
  const { runs } = shared;
  const control = new AbortController();
  const resolver = shared.resolver.part();
  let waiting = 0;
  const run: Run = {
    services: { ...shared, resolver, signal: control.signal },
    awaitedAt,
    began() {
      waiting++;
      runs.atWork.add(run);
      if (runs.isOver) run.stop();
    },
    answered() {
      waiting--;
      if (waiting === 0) runs.atWork.delete(run);
    },
    stop() {
      if (control.signal.aborted) return;
      control.abort(STOPPED);
      resolver.end();
    },
    isStopped: () => control.signal.aborted,
  };
  return run;
}

/** The session or the transaction is over, and so is the work of its checks. */
export function endRuns({ resolver, runs }: Pick<TransactionServices, 'resolver' | 'runs'>): void {
  runs.isOver = true;
  resolver.end();
  for (const run of runs.atWork) run.stop();
}
