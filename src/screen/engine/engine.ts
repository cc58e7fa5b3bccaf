/**
 * Runs the checks of a stage: observes once, judges with the policies given.
 *
 * Everything is synchronous while every check is: no promise is created until a check creates one. Checks that wait
 * do so at the same time, and no longer than the bound, at which they are stopped (runs.ts). A check that throws, in
 * any half, or whose module is missing is a defect of that check: there is an event, its outcome is `error`, and if
 * it protects, the mail waits (451), whatever action is set for its findings.
 */
import { invariant } from '../../model/errors.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import { isPromise, type MaybePromise } from '../../model/maybe-promise.ts';
import { loopStep } from '../../world/loop-watch.ts';
import type { Sender } from '../sender/recipient-context.ts';
import {
  type Check,
  type CheckServices,
  type CheckStage,
  NOTHING,
  type PriorFindings,
  type RecipientContext,
  type Said,
  type SenderKind,
  type Views,
} from './check.ts';
import type { Plan } from './plan.ts';
import type { CheckPolicy, DomainPolicy, Policies } from './policies.ts';
import { createRun, type Run, type TransactionServices } from './runs.ts';

/** The evidence of a check; or, in a word, why there is none. */
export type Observed = Evidence | 'defect' | 'timeout';

export interface Observations {
  /** By the check's index in the plan; missing: not observed yet, or not needed by anybody. */
  readonly byCheck: (MaybePromise<Observed | undefined> | undefined)[];
  /** Some of it is a promise, or was. */
  waits: boolean;
  /** The runs that had to wait: a few for each stage. */
  readonly runs: Run[];
}

const SPARED: Readonly<Record<'authenticated' | 'domain-server' | 'shielded', Evidence>> = {
  authenticated: Object.freeze({ made: false, why: 'authenticated' }),
  'domain-server': Object.freeze({ made: false, why: 'domain-server' }),
  shielded: Object.freeze({ made: false, why: 'ip-shield' }),
};
const NO_PRIOR_FINDINGS: PriorFindings = Object.freeze({ score: 0 });

export function noObservations({ unseen }: Plan): Observations {
  return { byCheck: unseen.slice(), waits: false, runs: [] };
}

export function copyOf({ byCheck, waits, runs }: Observations): Observations {
  return { byCheck: byCheck.slice(), waits, runs: runs.slice() };
}

/**
 * Starts the checks of the view's stage that may be needed; pending results are not awaited. `asks`: whether a
 * recipient needs a lazy check, once they are known.
 */
export function start(
  plan: Plan,
  view: Views[CheckStage],
  services: TransactionServices,
  observations: Observations,
  policies: Policies,
  asks?: (index: number) => boolean,
): void {
  observeAll(policies.starts[view.stage], plan, view, services, observations, policies, asks);
}

/** The same for checks that wait for a recipient. */
export function startUponRecipient(
  plan: Plan,
  view: Views['mail'],
  services: TransactionServices,
  observations: Observations,
  policies: Policies,
): void {
  observeAll(policies.uponRecipient, plan, view, services, observations, policies);
}

function observeAll(
  indexes: readonly number[],
  plan: Plan,
  view: Views[CheckStage],
  services: TransactionServices,
  observations: Observations,
  { everybody }: Policies,
  asks?: (index: number) => boolean,
): void {
  const runs: Partial<Record<CheckStage, Run>> = {};
  for (const index of indexes) {
    const check = plan.checks[index]!;
    const awaitedAt = plan.awaitedAt[view.stage][index]!;
    runs[awaitedAt] ??= createRun(services, awaitedAt);
    const run = runs[awaitedAt];
    const seen = check.lazy
      ? observeLazily(check, view, run, everybody.checks[index]!, asks?.(index) ?? true)
      : observe(check, view, run);
    observations.byCheck[index] = seen;
    if (!isWaiting(seen)) continue;
    observations.waits = true;
    run.began();
    seen.then(run.answered);
    if (!observations.runs.includes(run)) observations.runs.push(run);
  }
}

function observeLazily(
  check: Check,
  view: Views[CheckStage],
  run: Run,
  { exempt }: CheckPolicy,
  asked: boolean,
): MaybePromise<Observed | undefined> {
  if (view.stage === 'connect' || view.stage === 'ehlo') return observe(check, view, run);
  const look = ({ kind }: Sender): MaybePromise<Observed | undefined> => {
    if (spares(exempt, kind)) return SPARED[kind as keyof typeof SPARED];
    return asked ? observe(check, view, run) : undefined;
  };
  if (!isPromise(view.sender)) return look(view.sender);
  return view.sender.then(look, (error) => failed(check, view.stage, error, run));
}

/** Never throws, never rejects. */
function observe(check: Check, view: Views[CheckStage], run: Run): MaybePromise<Observed> {
  try {
    const evidence = loopStep(`check:${check.id}`, view.facts.id, () => check.observe(view, run.services));
    if (!isPromise(evidence)) return present(evidence);
    return evidence.then(present).catch((error) => failed(check, view.stage, error, run));
  } catch (error) {
    return failed(check, view.stage, error, run);
  }
}

/** A check that fails because it was stopped has no defect; nobody waits for it either. */
function failed(check: Check, stage: CheckStage, error: unknown, run: Run): 'defect' | 'timeout' {
  return run.isStopped() ? 'timeout' : defect(check, stage, error, run.services);
}

/** A check that returns nothing would otherwise count as not observed. */
function present(evidence: Evidence): Evidence {
  invariant(typeof evidence === 'object' && evidence !== null, 'a check observed nothing at all');
  return evidence;
}

/** Thrown by a check that builds on a failed one: the first has had its event. */
export class ObservationFailure extends Error {
  readonly failed: 'defect' | 'timeout';

  constructor(check: string, failed: 'defect' | 'timeout') {
    super(`the check ${check} has no result`);
    this.failed = failed;
  }
}

/**
 * Replaces promises by their results, for all checks that answer at this stage; a result that is missing at the bound
 * is a timeout. Undefined: nothing has to be awaited.
 */
export function settle(
  plan: Plan,
  stage: CheckStage,
  observations: Observations,
  boundMs: number,
  services: TransactionServices,
): Promise<void> | undefined {
  if (!observations.waits) return undefined;
  const { byCheck } = observations;
  const waiting = plan.answers[stage].filter((index) => isWaiting(byCheck[index]));
  return waiting.length > 0 ? settleLater(plan, stage, observations, waiting, boundMs, services) : undefined;
}

function isWaiting(seen: MaybePromise<Observed | undefined> | undefined): seen is Promise<Observed | undefined> {
  return seen !== undefined && isPromise(seen);
}

async function settleLater(
  plan: Plan,
  stage: CheckStage,
  { byCheck, runs }: Observations,
  waiting: readonly number[],
  boundMs: number,
  services: TransactionServices,
): Promise<void> {
  const late = new Set(waiting);
  const answered = Promise.all(
    waiting.map(async (index) => {
      const observed = await byCheck[index];
      if (late.delete(index)) byCheck[index] = observed;
    }),
  );
  await new Promise<void>((resolve) => {
    const bound = services.clock.after(boundMs, resolve);
    void answered.then(() => {
      bound.cancel();
      resolve();
    });
  });
  if (late.size === 0) return;
  for (const index of late) byCheck[index] = 'timeout';
  services.resolver.ranOutOfTime();
  for (const run of runs) if (run.awaitedAt === stage) run.stop();
  const checks = [...late].map((index) => plan.ids[index]!);
  late.clear();
  services.events.emit('screen.timeout', { stage, checks, afterMs: boundMs });
}

/** The findings of the checks that answer at this stage, in declared order; observations must be settled. */
export function judge(
  plan: Plan,
  stage: CheckStage,
  { byCheck }: Observations,
  { judged }: DomainPolicy,
  context: RecipientContext | undefined,
  services: TransactionServices,
  before: readonly Finding[] = NOTHING,
): readonly Finding[] {
  let findings: readonly Finding[] = NOTHING;
  for (const { index, check, policy } of judged[stage]) {
    const observed = byCheck[index] as Observed | undefined;
    if (observed === check.clear || observed === undefined) continue;
    const prior = priorFindingsOf(plan.suspects, joined(before, findings));
    findings = joined(findings, judgeOrTell(check, policy, observed, context, prior, stage, services));
  }
  return findings;
}

function judgeOrTell(
  check: Check,
  policy: CheckPolicy,
  observed: Observed,
  context: RecipientContext | undefined,
  prior: PriorFindings,
  stage: CheckStage,
  services: TransactionServices,
): readonly Finding[] {
  try {
    return judgeOne(check, policy, observed, context, prior);
  } catch (error) {
    return [failure(check, defect(check, stage, error, services))];
  }
}

/** Creates no list if one of the two is enough. */
export function joined(first: readonly Finding[], second: readonly Finding[]): readonly Finding[] {
  if (first.length === 0) return second;
  return second.length === 0 ? first : [...first, ...second];
}

export function priorFindingsOf(suspects: ReadonlySet<string>, findings: readonly Finding[]): PriorFindings {
  if (findings.length === 0) return NO_PRIOR_FINDINGS;
  let score = 0;
  let suspect: string | undefined;
  for (const finding of findings) {
    score += finding.score ?? 0;
    if (finding.outcome === 'fail' && suspects.has(finding.check)) suspect ??= finding.check;
  }
  return { score, ...(suspect !== undefined && { suspect }) };
}

/** Pure: the replay calls it, too. A defect of the check passes through. */
export function judgeOne(
  check: Check,
  policy: CheckPolicy,
  observed: Observed,
  context: RecipientContext | undefined,
  prior: PriorFindings,
): readonly Finding[] {
  if (!policy.enabled || (context && isExempt(policy, context))) return NOTHING;
  if (typeof observed === 'string') return [failure(check, observed)];
  if (observed['made'] === false) return NOTHING;
  const said = check.judge(observed, policy.values, context, prior);
  return said.length === 0 ? NOTHING : said.map((one) => finding(check, policy, one));
}

export function isExempt({ exempt }: CheckPolicy, context: RecipientContext): boolean {
  if (spares(exempt, context.sender) || (context.role && exempt.includes('roleAddress'))) return true;
  return context.listed?.some((listed) => exempt.includes(listed)) ?? false;
}

/** By the kind of sender alone. */
export function spares(exempt: CheckPolicy['exempt'], sender: SenderKind): boolean {
  if (sender === 'authenticated') return exempt.includes('authenticated');
  if (sender === 'shielded') return exempt.includes('ipShield');
  return sender === 'domain-server' && exempt.includes('domainMailServer');
}

function finding(check: Check, policy: CheckPolicy, said: Said): Finding {
  const outcome = said.outcome ?? 'fail';
  const score = said.score ?? (outcome === 'fail' ? policy.score : 0);
  return {
    check: check.id,
    outcome,
    code: said.code,
    text: said.text ?? check.codes[said.code] ?? said.code,
    action: said.action ?? (outcome === 'fail' ? policy.action : 'accept'),
    ...(score !== 0 && { score }),
    ...(said.reply && { reply: said.reply }),
    ...(said.redirectTo !== undefined && { redirectTo: said.redirectTo }),
  };
}

/** A check that protects fails closed, with a temporary error: the sender tries again. */
export function failure(check: Check, failed: 'defect' | 'timeout'): Finding {
  const text = failed === 'defect' ? 'the check failed by a defect of its own' : 'the check did not answer in time';
  const said = { check: check.id, outcome: 'error', code: failed, text } as const;
  if (!check.protects) return { ...said, action: 'accept' };
  const told = 'the message cannot be checked now, try again later';
  return { ...said, action: 'defer', reply: { code: 451, enhanced: '4.3.0', text: told } };
}

/** Emits an event, unless the check that it builds on has had one. */
export function defect(
  check: Check,
  stage: CheckStage,
  error: unknown,
  { events }: Pick<CheckServices, 'events'>,
): 'defect' | 'timeout' {
  if (error instanceof ObservationFailure) return error.failed;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  events.emit('screen.defect', { check: check.id, stage, error: message, ...(stack && { stack }) });
  return 'defect';
}
