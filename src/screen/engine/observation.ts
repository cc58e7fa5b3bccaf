/**
 * The evidence of a check, for code that asks by its id: at once or as a promise. Code that only wants to know takes
 * a failed check as one without evidence; a check that builds on it fails with it.
 */
import type { Evidence } from '../../model/finding.ts';
import { andThen, isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import { ObservationFailure, type Observations, type Observed } from './engine.ts';
import type { Plan } from './plan.ts';

/** The evidence of a check; undefined: none. */
export function evidenceOf(plan: Plan, { byCheck }: Observations, check: string): MaybePromise<Evidence | undefined> {
  const index = plan.indexOf.get(check);
  const observed = index === undefined ? undefined : byCheck[index];
  if (observed === undefined) return undefined;
  return isPromise(observed) ? observed.then(evidenceIn) : evidenceIn(observed);
}

/**
 * The same for a check that builds on it: if the one has no result, neither has the other. Throws
 * `ObservationFailure`.
 */
export function evidenceFor(plan: Plan, { byCheck }: Observations, check: string): MaybePromise<Evidence | undefined> {
  const index = plan.indexOf.get(check);
  const observed = index === undefined ? undefined : byCheck[index];
  const present = (one: Observed | undefined): Evidence | undefined => {
    if (typeof one === 'string') throw new ObservationFailure(check, one);
    return one;
  };
  return andThen(observed, present);
}

export function evidenceIn(observed: Observed | undefined): Evidence | undefined {
  return typeof observed === 'string' ? undefined : observed;
}
