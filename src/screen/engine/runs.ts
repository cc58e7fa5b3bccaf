/**
 * Checks at work: what those that began together and are awaited together may use, and how they are told
 * to stop. That is at the bound of the stage that awaits them, and when the session or the transaction
 * ends: their signal fires, and what they asked name servers gives its places back.
 *
 * A check that is told to stop may answer what it likes, or fail: nobody listens any more, and it is no
 * defect.
 */
import type { CheckServices, CheckStage } from './check.ts';

/** What a transaction, or a session before it, gives to all its checks. */
export type TransactionServices = Omit<CheckServices, 'signal'> & { readonly runs: Runs };

export interface Run {
  readonly services: CheckServices;
  /** The stage that judges its checks. */
  readonly awaitedAt: CheckStage;
  /** One more of its checks has not answered yet. */
  began(): void;
  answered(): void;
  /** Ends what its checks still do. */
  stop(): void;
  isStopped(): boolean;
}

/** Whose checks have not all answered. Bounded by the checks of a transaction, as each counts until it answers. */
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

/** The session or the transaction is over, and so is all that its checks do. */
export function endRuns({ resolver, runs }: Pick<TransactionServices, 'resolver' | 'runs'>): void {
  runs.isOver = true;
  resolver.end();
  for (const run of runs.atWork) run.stop();
}
