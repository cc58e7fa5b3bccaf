/**
 * Runs the checks of a stage: observes once, judges with the policies given.
 *
 * Everything is synchronous while every check is: no promise is made until a check makes one. Checks
 * that wait do so at the same time, and no longer than the bound. A check that throws is a defect of
 * that check: it is told, its outcome is `error`, and where it protects the mail waits (451).
 */
import type { Evidence, Finding } from '../model/finding.ts';
import { isPromise, type MaybePromise } from '../model/maybe-promise.ts';
import type { Check, CheckServices, CheckStage, Heard, Said, SenderKind, Views, Who } from './check.ts';
import { NOTHING } from './check.ts';
import type { CheckPolicy } from './policies.ts';
import type { Sender } from './who.ts';

/** What a check saw; `failed` says why it saw nothing. */
export type Observed =
  | { readonly evidence: Evidence; readonly failed?: undefined }
  | { readonly evidence?: undefined; readonly failed: 'defect' | 'timeout' };

/** By the check's index in the plan; what was not observed yet is missing. */
export type Observations = (MaybePromise<Observed> | undefined)[];

/** The checks, sorted once by what each stage has to do. Numbers are indexes into `checks`. */
export interface Plan {
  readonly checks: readonly Check[];
  readonly ids: readonly string[];
  /** The index of a check by its id. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** Who observes at this stage. */
  readonly starts: Readonly<Record<CheckStage, readonly number[]>>;
  /** Who is judged at this stage. */
  readonly answers: Readonly<Record<CheckStage, readonly number[]>>;
  /** Who is judged at this stage over what was seen before RCPT, or of the message: one look for all recipients. */
  readonly common: Readonly<Record<'rcpt' | 'message', readonly number[]>>;
  /** Who edits headers, and who records what became of the message. */
  readonly edits: readonly number[];
  readonly concludes: readonly number[];
  /** The ids of checks whose failure is a sign of forgery by itself. */
  readonly suspects: ReadonlySet<string>;
}

const STAGES: readonly CheckStage[] = ['connect', 'ehlo', 'mail', 'rcpt', 'message'];
const DEFECT: Observed = { failed: 'defect' };
const TIMEOUT: Observed = { failed: 'timeout' };
/** Leaves no evidence: what nobody asked for needs no word in the log. */
export const NOBODY_ASKS: Observed = { evidence: Object.freeze({ made: false, why: 'off' }) };
const SPARED: Readonly<Record<'authenticated' | 'domain-server' | 'shielded', Observed>> = {
  authenticated: { evidence: Object.freeze({ made: false, why: 'authenticated' }) },
  'domain-server': { evidence: Object.freeze({ made: false, why: 'domain-server' }) },
  shielded: { evidence: Object.freeze({ made: false, why: 'ip-shield' }) },
};
const NOTHING_HEARD: Heard = Object.freeze({ score: 0 });

export function plan(checks: readonly Check[]): Plan {
  const stagesOf = (check: Check): readonly CheckStage[] =>
    typeof check.stage === 'string' ? [check.stage] : check.stage;
  const answersAt = (check: Check, stage: CheckStage): boolean => {
    if (check.answers) return stage === check.answers;
    // Before RCPT only a check of the whole server answers: the log shall know sender and recipient.
    return stagesOf(check).some((seen) => (check.scope === 'server' || !isEarly(seen) ? seen : 'rcpt') === stage);
  };
  const indexes = (satisfies: (check: Check, stage: CheckStage) => boolean): Plan['starts'] => {
    const select = (stage: CheckStage): number[] =>
      checks.flatMap((check, index) => (satisfies(check, stage) ? [index] : []));
    return Object.fromEntries(STAGES.map((stage) => [stage, select(stage)])) as Record<CheckStage, number[]>;
  };
  const starts = indexes((check, stage) => stagesOf(check).includes(stage));
  const answers = indexes(answersAt);
  const isCommon = (index: number): boolean => !starts.rcpt.includes(index);
  return {
    checks,
    ids: checks.map(({ id }) => id),
    indexOf: new Map(checks.map(({ id }, index) => [id, index])),
    starts,
    answers,
    common: {
      rcpt: answers.rcpt.filter(isCommon),
      message: answers.message.filter((index) => isCommon(index) || starts.message.includes(index)),
    },
    edits: checks.flatMap((check, index) => (check.edits ? [index] : [])),
    concludes: checks.flatMap((check, index) => (check.conclude ? [index] : [])),
    suspects: new Set(checks.filter(({ suspects }) => suspects).map(({ id }) => id)),
  };
}

function isEarly(stage: CheckStage): boolean {
  return stage === 'connect' || stage === 'ehlo' || stage === 'mail';
}

/**
 * Lets every check of the view's stage look; what waits is left to wait. `globals`: the policies of
 * nobody in particular; `asks`: whether a recipient asks for a lazy check, once they are known.
 */
export function start(
  plan: Plan,
  view: Views[CheckStage],
  services: CheckServices,
  observations: Observations,
  globals: readonly CheckPolicy[],
  asks?: (index: number) => boolean,
): void {
  for (const index of plan.starts[view.stage]) {
    const check = plan.checks[index]!;
    observations[index] = check.lazy
      ? observeLazily(check, view, services, globals[index]!, asks?.(index) ?? true)
      : observe(check, view, services);
  }
}

function observeLazily(
  check: Check,
  view: Views[CheckStage],
  services: CheckServices,
  { exempt }: CheckPolicy,
  asked: boolean,
): MaybePromise<Observed> {
  if (view.stage === 'connect' || view.stage === 'ehlo') return observe(check, view, services);
  const look = ({ kind }: Sender): MaybePromise<Observed> => {
    if (spares(exempt, kind)) return SPARED[kind as keyof typeof SPARED];
    return asked ? observe(check, view, services) : NOBODY_ASKS;
  };
  if (!isPromise(view.sender)) return look(view.sender);
  return view.sender.then(look, (error) => {
    tellDefect(check, view.stage, error, services);
    return DEFECT;
  });
}

/** Never throws, never rejects. */
function observe(check: Check, view: Views[CheckStage], services: CheckServices): MaybePromise<Observed> {
  try {
    const evidence = check.observe(view, services);
    return isPromise(evidence) ? observeLater(check, view, services, evidence) : { evidence };
  } catch (error) {
    tellDefect(check, view.stage, error, services);
    return DEFECT;
  }
}

async function observeLater(
  check: Check,
  { stage }: Views[CheckStage],
  services: CheckServices,
  coming: Promise<Evidence>,
): Promise<Observed> {
  try {
    return { evidence: await coming };
  } catch (error) {
    tellDefect(check, stage, error, services);
    return DEFECT;
  }
}

/** Puts answers where promises were, for all who answer at this stage; what is missing at the bound is a timeout. */
export function settle(
  plan: Plan,
  stage: CheckStage,
  observations: Observations,
  boundMs: number,
  services: CheckServices,
): MaybePromise<void> {
  for (const index of plan.answers[stage]) {
    if (!isWaiting(observations[index])) continue;
    const waiting = plan.answers[stage].filter((one) => isWaiting(observations[one]));
    return settleLater(plan, stage, observations, waiting, boundMs, services);
  }
}

function isWaiting(observed: MaybePromise<Observed> | undefined): observed is Promise<Observed> {
  return observed !== undefined && isPromise(observed);
}

async function settleLater(
  plan: Plan,
  stage: CheckStage,
  observations: Observations,
  waiting: readonly number[],
  boundMs: number,
  services: CheckServices,
): Promise<void> {
  const late = new Set(waiting);
  const answered = Promise.all(
    waiting.map(async (index) => {
      const observed = await observations[index]!;
      if (late.delete(index)) observations[index] = observed;
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
  for (const index of late) observations[index] = TIMEOUT;
  const checks = [...late].map((index) => plan.ids[index]!);
  late.clear();
  services.events.emit('screen.timeout', { stage, checks, afterMs: boundMs });
}

/** What the checks that answer at this stage say, in declared order; observations must be settled. */
export function judge(
  plan: Plan,
  stage: CheckStage,
  observations: Observations,
  policies: readonly CheckPolicy[],
  who: Who | undefined,
  services: CheckServices,
  before: readonly Finding[] = NOTHING,
): readonly Finding[] {
  let findings: readonly Finding[] = NOTHING;
  for (const index of plan.answers[stage]) {
    const observed = observations[index] as Observed | undefined;
    if (!observed) continue;
    const check = plan.checks[index]!;
    const policy = policies[index]!;
    if (!policy.enabled || observed === NOBODY_ASKS) continue;
    const heard = hear(plan.suspects, joined(before, findings));
    const said = judgeOne(check, policy, observed, who, heard, (error) => tellDefect(check, stage, error, services));
    findings = joined(findings, said);
  }
  return findings;
}

/** Makes no list where one of the two says it all. */
export function joined(first: readonly Finding[], second: readonly Finding[]): readonly Finding[] {
  if (first.length === 0) return second;
  return second.length === 0 ? first : [...first, ...second];
}

export function hear(suspects: ReadonlySet<string>, findings: readonly Finding[]): Heard {
  if (findings.length === 0) return NOTHING_HEARD;
  let score = 0;
  let suspect: string | undefined;
  for (const finding of findings) {
    score += finding.score ?? 0;
    if (finding.outcome === 'fail' && suspects.has(finding.check)) suspect ??= finding.check;
  }
  return { score, ...(suspect !== undefined && { suspect }) };
}

/** Pure but for `onDefect`: also what the replay calls. */
export function judgeOne(
  check: Check,
  policy: CheckPolicy,
  observed: Observed,
  who: Who | undefined,
  heard: Heard,
  onDefect: (error: unknown) => void,
): readonly Finding[] {
  if (!policy.enabled || (who && isExempt(policy, who))) return NOTHING;
  if (observed.failed) return [failure(check, observed.failed)];
  let said: readonly Said[];
  try {
    if (observed.evidence['made'] === false) return NOTHING;
    said = check.judge(observed.evidence, policy.values, who, heard);
  } catch (error) {
    onDefect(error);
    return [failure(check, 'defect')];
  }
  return said.length === 0 ? NOTHING : said.map((one) => finding(check, policy, one));
}

export function isExempt({ exempt }: CheckPolicy, who: Who): boolean {
  if (spares(exempt, who.sender) || (who.role && exempt.includes('roleAddress'))) return true;
  return who.listed?.some((listed) => exempt.includes(listed)) ?? false;
}

function spares(exempt: CheckPolicy['exempt'], sender: SenderKind): boolean {
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

/** What protects fails closed, with a temporary error: the sender tries again. */
function failure(check: Check, failed: 'defect' | 'timeout'): Finding {
  const text = failed === 'defect' ? 'the check failed by a defect of its own' : 'the check did not answer in time';
  const said = { check: check.id, outcome: 'error', code: failed, text } as const;
  if (!check.protects) return { ...said, action: 'accept' };
  const told = 'the message cannot be checked now, try again later';
  return { ...said, action: 'defer', reply: { code: 451, enhanced: '4.3.0', text: told } };
}

function tellDefect(check: Check, stage: CheckStage, error: unknown, { events }: CheckServices): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  events.emit('screen.defect', { check: check.id, stage, error: message, ...(stack && { stack }) });
}
