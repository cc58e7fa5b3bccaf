/**
 * The result of a test of this node's standing.
 *
 * Three verdicts: good, wrong, cannot tell. DNS that does not answer is nobody's fault, so it is never `wrong`. A
 * wrong result has the reason why it matters and, if a record fixes it, the record, ready to be copied into the zone.
 */
import type { DnsAnswer } from '../world/resolver.ts';

export type TestName =
  | 'mx'
  | 'spf'
  | 'dkim'
  | 'dmarc'
  | 'helo'
  | 'ptr'
  | 'dns-list'
  | 'certificate'
  | 'relay'
  | 'lists'
  | 'sign-in'
  | 'trust'
  | 'clients'
  | 'disk';
export type PostureVerdict = 'good' | 'wrong' | 'cannot-tell';

/**
 * `critical`: mail is lost or refused, or anybody may send as the domain. `important`: some receivers refuse, or a
 * protection is missing. `advice`: good now, and could be better.
 */
export type Severity = 'critical' | 'important' | 'advice';

export interface PostureResult {
  readonly test: TestName;
  /** The domain, name or address that was tested. */
  readonly subject: string;
  readonly verdict: PostureVerdict;
  /** Null if there is nothing to do. */
  readonly severity: Severity | null;
  /** From the test's closed list; `good` and `cannot-tell` if there is no more detail. */
  readonly code: string;
  readonly seen: string;
  /** Why it matters, and what to do; empty if all is good. */
  readonly why: string;
  /** Lines of a zone file (RFC 1035 5.1). */
  readonly publish: readonly string[];
}

/** One entry of a test's closed list. */
export interface Problem {
  readonly code: string;
  readonly severity: Severity;
  readonly why: string;
}

export type About = Pick<PostureResult, 'test' | 'subject'>;

export function good(about: About, seen: string): PostureResult {
  return { ...about, verdict: 'good', severity: null, code: 'good', seen, why: '', publish: [] };
}

/** Good, unless the problem is more than advice. */
export function problem(
  about: About,
  { code, severity, why }: Problem,
  seen: string,
  publish: readonly string[] = [],
): PostureResult {
  return { ...about, verdict: severity === 'advice' ? 'good' : 'wrong', severity, code, seen, why, publish };
}

export function cannotTell(about: About, seen: string, why = 'Ask again later.'): PostureResult {
  return { ...about, verdict: 'cannot-tell', severity: null, code: 'cannot-tell', seen, why, publish: [] };
}

export type UnknownAnswer = Extract<DnsAnswer<never>, { kind: 'unknown' }>;

export function unanswered(about: About, name: string, { reason }: UnknownAnswer): PostureResult {
  return cannotTell(about, `the DNS did not answer for ${name}: ${reason}`);
}

/** The worst of them; `good` where there are none. */
export function verdictOf(results: readonly Pick<PostureResult, 'verdict'>[]): PostureVerdict {
  if (results.some(({ verdict }) => verdict === 'wrong')) return 'wrong';
  return results.some(({ verdict }) => verdict === 'cannot-tell') ? 'cannot-tell' : 'good';
}
