/**
 * Reads a TLS report (RFC 8460 4.4): the results of others that sent us mail under MTA-STS or DANE.
 *
 * All values are untrusted: types are checked, strings and lists bounded. A problem is a sentence, never an
 * exception.
 */
export interface TlsReport {
  readonly organisation: string;
  readonly contact: string;
  readonly reportId: string;
  /** Seconds since the epoch. */
  readonly begin: number;
  readonly end: number;
  readonly policies: readonly TlsPolicyReport[];
}

export interface TlsPolicyReport {
  /** `sts`, `tlsa` or `no-policy-found`. */
  readonly type: string;
  readonly domain: string;
  readonly successful: number;
  readonly failed: number;
  readonly failures: readonly {
    readonly type: string;
    readonly count: number;
    readonly sendingAddress: string;
    readonly receivingHost: string;
    readonly reason: string;
  }[];
}

export type ReadTlsReport =
  | { readonly ok: true; readonly report: TlsReport }
  | { readonly ok: false; readonly problem: string };

/** A report is about one domain; no domain has more than a few policies. */
const POLICIES = 100;
/** RFC 8460 4.3 lists twelve types of failure; each may come from several addresses. */
const FAILURES = 1000;
const TEXT_CHARACTERS = 500;
/** Sums of many counts must stay far below 64 bits. */
const MOST_SESSIONS = 1e11;

/** `bytes`: the unpacked JSON; the caller bounds its size. */
export function readTlsReport(bytes: Uint8Array): ReadTlsReport {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8').decode(bytes));
  } catch (error) {
    return { ok: false, problem: `not JSON that can be read: ${(error as Error).message.slice(0, 200)}` };
  }
  const range = member(value, 'date-range');
  const begin = seconds(member(range, 'start-datetime'));
  const end = seconds(member(range, 'end-datetime'));
  if (begin === undefined || end === undefined || end < begin)
    return { ok: false, problem: 'no range of dates in it that could be' };
  const policies = list(member(value, 'policies'), POLICIES).map(readPolicy);
  if (policies.length === 0) return { ok: false, problem: 'no policies in it' };
  return {
    ok: true,
    report: {
      organisation: text(member(value, 'organization-name')),
      contact: text(member(value, 'contact-info')),
      reportId: text(member(value, 'report-id')),
      begin,
      end,
      policies,
    },
  };
}

function readPolicy(entry: unknown): TlsPolicyReport {
  const policy = member(entry, 'policy');
  const summary = member(entry, 'summary');
  return {
    type: text(member(policy, 'policy-type')),
    domain: text(member(policy, 'policy-domain')).toLowerCase(),
    successful: count(member(summary, 'total-successful-session-count')),
    failed: count(member(summary, 'total-failure-session-count')),
    failures: list(member(entry, 'failure-details'), FAILURES).map((failure) => ({
      type: text(member(failure, 'result-type')),
      count: count(member(failure, 'failed-session-count')),
      sendingAddress: text(member(failure, 'sending-mta-ip')),
      receivingHost: text(member(failure, 'receiving-mx-hostname')),
      reason: text(member(failure, 'failure-reason-code')),
    })),
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function list(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, TEXT_CHARACTERS).trim() : '';
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_SESSIONS ? value : 0;
}

/** RFC 3339. */
function seconds(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value.slice(0, 40)) : Number.NaN;
  return Number.isNaN(at) || at < 0 ? undefined : Math.floor(at / 1000);
}
