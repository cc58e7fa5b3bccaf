/**
 * The messages for which a domain wants failure reports (RFC 9989 4.7 `fo`, RFC 9991), and the content of a report:
 * the envelope, the results, and of the header only From, Subject and Message-ID.
 */
import ipaddr from 'ipaddr.js';
import type { FailureReport } from '../../protocol/arf/types.ts';
import { formatDate } from '../../protocol/dsn/date.ts';
import type { DmarcEvidence } from '../../screen/checks/origin/types.ts';
import type { Counted } from '../dmarc/row.ts';
import type { ObservedMessage } from '../observe.ts';

/** Bounces and reports come from the null reverse-path: never a report on those. */
export function wantsFailure(record: ObservedMessage, { policy, evidence }: Counted): boolean {
  if (policy.ruf.length === 0 || record.from === '') return false;
  const options = policy.fo.toLowerCase().split(':');
  const { spf, dkim, spfAligned, dkimAligned } = evidence;
  if (options.includes('1') && !(spfAligned && dkimAligned)) return true;
  if (options.includes('d') && dkim.some(({ result }) => result === 'fail')) return true;
  if (options.includes('s') && spf.some(({ result }) => result === 'fail' || result === 'softfail')) return true;
  const isDefault = options.includes('0') || !options.some((option) => ['1', 'd', 's'].includes(option));
  return isDefault && evidence.result === 'fail';
}

export type FailureFacts = Omit<
  FailureReport,
  'from' | 'to' | 'messageId' | 'boundary' | 'date' | 'userAgent' | 'reportingHost'
>;

export function failureFacts(
  record: ObservedMessage,
  { evidence, domain }: Counted,
  { hostname, maskReserved }: { readonly hostname: string; readonly maskReserved: boolean },
): FailureFacts {
  const { subject, headerFrom, messageIdHeader } = record.detail;
  const sourceIp = maskReserved && isReserved(evidence.sourceIp) ? 'X.X.X.X' : evidence.sourceIp;
  const header: [string, string][] = [['From', headerFrom ?? '']];
  if (subject !== undefined) header.push(['Subject', subject]);
  if (messageIdHeader !== undefined) header.push(['Message-ID', messageIdHeader]);
  header.push(['Date', formatDate(record.at)]);
  return {
    arrivedAt: record.at,
    sourceIp,
    reportedDomain: evidence.headerFrom || domain,
    mailFrom: record.from,
    deliveryResult: deliveryResult(record, evidence),
    alignment: alignment(evidence),
    authenticationResults: results(evidence, hostname),
    header,
  };
}

function deliveryResult({ direction }: ObservedMessage, { applied }: DmarcEvidence): FailureReport['deliveryResult'] {
  if (direction === 'refused') return 'reject';
  return applied?.disposition === 'quarantine' ? 'spam' : 'delivered';
}

/** RFC 9991: the identifiers that are not aligned. */
function alignment({ spfAligned, dkimAligned }: DmarcEvidence): FailureReport['alignment'] {
  if (spfAligned && dkimAligned) return 'none';
  if (spfAligned) return 'dkim';
  return dkimAligned ? 'spf' : 'dkim, spf';
}

function results({ result, headerFrom, dkim, spf }: DmarcEvidence, hostname: string): string {
  const said = [`dmarc=${result === 'pass' ? 'pass' : 'fail'} header.from=${headerFrom}`];
  for (const { domain, result: spfResult } of spf) said.push(`spf=${spfResult} smtp.mailfrom=${domain}`);
  for (const { domain, selector, result: dkimResult } of dkim)
    said.push(`dkim=${dkimResult} header.d=${domain} header.s=${selector}`);
  return `${hostname}; ${said.join('; ')}`;
}

export function isReserved(address: string): boolean {
  return !ipaddr.isValid(address) || ipaddr.process(address).range() !== 'unicast';
}
