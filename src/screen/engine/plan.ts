/** The checks in their declared order, sorted once by their work at each stage. */
import type { Check, CheckStage } from './check.ts';

/** Numbers are indexes into `checks`. */
export interface Plan {
  readonly checks: readonly Check[];
  readonly ids: readonly string[];
  /** The index of a check by its id. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** The initial state: nothing observed of any check. */
  readonly unseen: readonly undefined[];
  /** The checks that start to observe at this stage. */
  readonly starts: Readonly<Record<CheckStage, readonly number[]>>;
  /** The checks that observe MAIL once there is a recipient (`begins`). */
  readonly uponRecipient: readonly number[];
  /** The checks that are judged at this stage. */
  readonly answers: Readonly<Record<CheckStage, readonly number[]>>;
  /** Of each check that observes at this stage: when it is judged. */
  readonly awaitedAt: Readonly<Record<CheckStage, readonly CheckStage[]>>;
  /**
   * The checks that are judged at this stage over evidence from before RCPT, or of the message: one observation for
   * all recipients.
   */
  readonly common: Readonly<Record<'rcpt' | 'message', readonly number[]>>;
  /** The checks that edit headers, and those that record the fate of the message. */
  readonly edits: readonly number[];
  readonly concludes: readonly number[];
  /** The ids of checks whose failure is a sign of forgery by itself. */
  readonly suspects: ReadonlySet<string>;
}

export function plan(checks: readonly Check[]): Plan {
  const stagesOf = (check: Check): readonly CheckStage[] =>
    typeof check.stage === 'string' ? [check.stage] : check.stage;
  const answersAt = (check: Check, stage: CheckStage): boolean =>
    stagesOf(check).some((seen) => awaitedAt(check, seen) === stage);
  const indexes = (satisfies: (check: Check, stage: CheckStage) => boolean): Plan['starts'] =>
    byStage((stage) => checks.flatMap((check, index) => (satisfies(check, stage) ? [index] : [])));
  const isPutOff = (check: Check, stage: CheckStage): boolean => stage === 'mail' && check.begins === 'rcpt';
  const starts = indexes((check, stage) => stagesOf(check).includes(stage) && !isPutOff(check, stage));
  const answers = indexes(answersAt);
  const isCommon = (index: number): boolean => !starts.rcpt.includes(index);
  return {
    checks,
    ids: checks.map(({ id }) => id),
    indexOf: new Map(checks.map(({ id }, index) => [id, index])),
    unseen: checks.map(() => undefined),
    starts,
    uponRecipient: checks.flatMap((check, index) =>
      stagesOf(check).some((stage) => isPutOff(check, stage)) ? [index] : [],
    ),
    answers,
    awaitedAt: byStage((stage) => checks.map((check) => awaitedAt(check, stage))),
    common: {
      rcpt: answers.rcpt.filter(isCommon),
      message: answers.message.filter((index) => isCommon(index) || starts.message.includes(index)),
    },
    edits: checks.flatMap((check, index) => (check.edits ? [index] : [])),
    concludes: checks.flatMap((check, index) => (check.conclude ? [index] : [])),
    suspects: new Set(checks.filter(({ suspects }) => suspects).map(({ id }) => id)),
  };
}

/** When a check is judged over what it observed at this stage. */
function awaitedAt(check: Check, seen: CheckStage): CheckStage {
  if (check.answers) return check.answers;
  // Before RCPT only a check of the whole server answers: the log must have sender and recipient.
  return check.scope === 'server' || !isEarly(seen) ? seen : 'rcpt';
}

function isEarly(stage: CheckStage): boolean {
  return stage === 'connect' || stage === 'ehlo' || stage === 'mail';
}

export function byStage<T>(make: (stage: CheckStage) => T): Readonly<Record<CheckStage, T>> {
  return {
    connect: make('connect'),
    ehlo: make('ehlo'),
    mail: make('mail'),
    rcpt: make('rcpt'),
    message: make('message'),
  };
}
