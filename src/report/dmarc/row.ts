/**
 * The DMARC result of one message, as the row of a report in which it is counted (RFC 9990 3.1). Undefined if there
 * is nothing to report: no record, no request for reports, mail of our own, or mail that will come again. Mail that
 * is itself a report for us is never counted, or two nodes would report on each other's reports for ever.
 */
import { REPORT_SINK } from '../../directory/addresses/report-addresses.ts';
import { UNKNOWN_ADDRESS } from '../../model/session.ts';
import type { ReportRecord } from '../../protocol/dmarc-report/types.ts';
import type { DmarcEvidence, DmarcRecord } from '../../screen/checks/origin/types.ts';
import { RESULTS_PER_ROW, ROW_VALUE_CHARACTERS } from '../limits.ts';
import type { ObservedMessage } from '../observe.ts';

export type CountedRow = Omit<ReportRecord, 'count'>;

export interface Counted {
  /** The policy domain. */
  readonly domain: string;
  readonly policy: DmarcRecord;
  readonly evidence: DmarcEvidence;
  readonly row: CountedRow;
}

export function countedRow(record: ObservedMessage): Counted | undefined {
  const evidence = record.detail.evidence['dmarc'] as unknown as DmarcEvidence | { readonly made: false } | undefined;
  if (!evidence?.made || !evidence.record || !evidence.applied) return undefined;
  if (record.direction !== 'inbound' && record.direction !== 'refused') return undefined;
  if (!record.recipients.some(counts)) return undefined;
  // A report is about an address (`source_ip`); a client that its proxy does not know has none.
  if (evidence.sourceIp === UNKNOWN_ADDRESS) return undefined;
  const { record: policy, applied } = evidence;
  return {
    domain: policy.domain,
    policy,
    evidence,
    row: {
      sourceIp: evidence.sourceIp,
      disposition: applied.disposition,
      dkim: evidence.dkimAligned ? 'pass' : 'fail',
      spf: evidence.spfAligned ? 'pass' : 'fail',
      reasons: applied.reasons.map(({ type, comment }) => ({ type, ...(comment && { comment: bounded(comment) }) })),
      envelopeFrom: bounded(evidence.envelopeFrom),
      headerFrom: bounded(evidence.headerFrom),
      dkimResults: evidence.dkim.slice(0, RESULTS_PER_ROW).map(({ domain, selector, result }) => ({
        domain: bounded(domain),
        selector: bounded(selector),
        result,
      })),
      spfResults: spfResults(evidence),
    },
  };
}

/** Deferred mail comes again, and is counted then. */
function counts({ address, disposition }: ObservedMessage['recipients'][number]): boolean {
  return disposition !== 'defer' && !address.endsWith(`@${REPORT_SINK}`);
}

/** The schema requires one. */
function spfResults({ spf, envelopeFrom, headerFrom }: DmarcEvidence): CountedRow['spfResults'] {
  if (spf.length === 0) return [{ domain: bounded(envelopeFrom || headerFrom), scope: 'mfrom', result: 'none' }];
  return spf.map(({ domain, scope, result }) => ({ domain: bounded(domain), scope, result }));
}

function bounded(text: string): string {
  return text.length > ROW_VALUE_CHARACTERS ? text.slice(0, ROW_VALUE_CHARACTERS) : text;
}
