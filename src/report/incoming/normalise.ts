/** The values that the three kinds of reports share: the domain, the source, and the results. */
import type { ParsedFailure } from '../../protocol/arf/types.ts';
import type { AggregateReport, ReportRecord } from '../../protocol/dmarc-report/types.ts';
import type { TlsReport } from '../../protocol/tlsrpt/read.ts';
import type { ReadReport, ReadSource } from './types.ts';

export function aggregateReport({ metadata, policy, records }: AggregateReport, unread: number): ReadReport {
  return {
    kind: 'aggregate',
    domain: policy.domain,
    organisation: metadata.organisation || metadata.email,
    reportId: metadata.reportId,
    begins: metadata.begin,
    ends: metadata.end,
    sources: records.map((record) => aggregateSource(policy.domain, record)),
    unread,
  };
}

function aggregateSource(domain: string, record: ReportRecord): ReadSource {
  const reasons = (record.reasons ?? []).map(({ type, comment }) => (comment ? `${type}: ${comment}` : type));
  return {
    domain,
    source: record.sourceIp,
    messages: record.count,
    disposition: record.disposition,
    dkim: record.dkim,
    spf: record.spf,
    headerFrom: record.headerFrom,
    ...(reasons.length > 0 && { detail: reasons.join('; ').slice(0, 500) }),
  };
}

export function failureReport(parsed: ParsedFailure, id: string): ReadReport {
  const domain = parsed.reportedDomain ?? '';
  const at = Math.floor((parsed.arrivedAt ?? 0) / 1000);
  const failed = parsed.alignment ?? '';
  return {
    kind: 'failure',
    domain,
    organisation: '',
    reportId: id,
    begins: at,
    ends: at,
    sources: [
      {
        domain,
        source: parsed.sourceIp ?? '',
        messages: parsed.incidents,
        disposition: parsed.deliveryResult ?? '',
        dkim: /dkim|none/.test(failed) ? 'fail' : '',
        spf: /spf|none/.test(failed) ? 'fail' : '',
        headerFrom: domain,
        detail: parsed.authFailure ?? parsed.feedbackType,
      },
    ],
    unread: 0,
  };
}

/** One source a policy for successes, one a kind of failure. */
export function tlsReport({ organisation, contact, reportId, begin, end, policies }: TlsReport): ReadReport {
  const sources = policies.flatMap((policy): ReadSource[] => {
    const common = { domain: policy.domain, dkim: '', spf: '', headerFrom: '' } as const;
    const good = { ...common, source: '', messages: policy.successful, disposition: 'tls', detail: policy.type };
    const bad = policy.failures.map((failure) => ({
      ...common,
      source: failure.receivingHost,
      messages: failure.count,
      disposition: 'failed',
      detail: [failure.type, failure.reason, failure.sendingAddress].filter(Boolean).join(', '),
    }));
    return policy.successful > 0 ? [good, ...bad] : bad;
  });
  return {
    kind: 'tls',
    domain: policies[0]?.domain ?? '',
    organisation: organisation || contact,
    reportId,
    begins: begin,
    ends: end,
    sources,
    unread: 0,
  };
}
