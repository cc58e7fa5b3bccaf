/** One day of one policy domain as a report: its values, then XML, packed, within the bound on its size. */
import { gzipSync } from 'node:zlib';
import type { AggregateReport, ReportMetadata, ReportRecord } from '../../protocol/dmarc-report/types.ts';
import { writeAggregate } from '../../protocol/dmarc-report/write-aggregate.ts';
import type { DmarcRecord } from '../../screen/checks/origin/types.ts';
import { REPORT_BYTES } from '../limits.ts';
import { DAY_MS } from '../schema.ts';
import type { Reporter } from './reporter.ts';
import type { CountRow, DayRow } from './statements.ts';

export interface PackedReport {
  /** `receiver!policy-domain!begin!end!id.xml.gz` (RFC 9990 3.5.2). */
  readonly filename: string;
  readonly bytes: Uint8Array;
  readonly records: number;
}

/** `rows`: the most frequent first. `reportId`: letters and digits. */
export function buildReport(
  reporter: Reporter,
  { day, domain, policy, left_out }: DayRow,
  rows: readonly CountRow[],
  reportId: string,
): AggregateReport {
  const { adkim, aspf, p, sp, np, t, psd, fo, discovery } = JSON.parse(policy) as DmarcRecord;
  const begin = (day * DAY_MS) / 1000;
  const metadata: ReportMetadata = {
    organisation: reporter.organisation,
    email: reporter.contact,
    ...(reporter.extraContact === '' ? {} : { extraContact: reporter.extraContact }),
    reportId,
    begin,
    end: begin + DAY_MS / 1000 - 1,
    ...(left_out > 0 ? { errors: [leftOut(left_out)] } : {}),
  };
  return {
    metadata,
    policy: { domain, adkim, aspf, p, ...(sp && { sp }), ...(np && { np }), t, psd, fo, discovery },
    records: rows.map(({ row, messages }) => ({
      ...(JSON.parse(row) as Omit<ReportRecord, 'count'>),
      count: messages,
    })),
  };
}

export function reportXml(report: AggregateReport): string {
  return [...writeAggregate(report)].join('');
}

/**
 * A report that is too large loses its rarest rows, half of them at a time, and mentions the number of their
 * messages.
 */
export function packReport(reporter: Reporter, report: AggregateReport): PackedReport {
  const { reportId, begin, end } = report.metadata;
  const filename = `${reporter.domain}!${report.policy.domain}!${begin}!${end}!${reportId}.xml.gz`;
  let fitting = report;
  for (;;) {
    const bytes = gzipSync(reportXml(fitting));
    if (bytes.length <= REPORT_BYTES || fitting.records.length <= 1)
      return { filename, bytes, records: fitting.records.length };
    const records = fitting.records.slice(0, Math.ceil(fitting.records.length / 2));
    const lost = report.records.slice(records.length).reduce((sum, { count }) => sum + count, 0);
    const errors = [...(report.metadata.errors ?? []), leftOut(lost)];
    fitting = { ...report, records, metadata: { ...report.metadata, errors } };
  }
}

function leftOut(messages: number): string {
  return `${messages} messages are not in this report, as it would have too many rows`;
}
