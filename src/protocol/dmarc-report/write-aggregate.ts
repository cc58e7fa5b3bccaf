/**
 * An aggregate report as XML, valid against the schema of RFC 9990 appendix A.
 *
 * The namespace is the default one, as in that RFC's sample, since many readers look for elements without prefix; the
 * schema accepts IPv6 only with all eight groups written out.
 */

import { cleanLine } from '../text/unsafe.ts';
import { expandIpv6 } from './ipv6.ts';
import type { AggregateReport, PublishedPolicy, ReportMetadata, ReportRecord } from './types.ts';

export const DMARC_NAMESPACE = 'urn:ietf:params:xml:ns:dmarc-2.0';

/** In pieces, so that a report of many records need not be one string. */
export function* writeAggregate(report: AggregateReport): Generator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="${DMARC_NAMESPACE}">\n`;
  yield writeMetadata(report.metadata);
  yield writePolicy(report.policy);
  for (const record of report.records) yield writeRecord(record);
  yield '</feedback>\n';
}

function writeMetadata(metadata: ReportMetadata): string {
  const { organisation, email, extraContact, reportId, begin, end, errors = [] } = metadata;
  return element('report_metadata', [
    leaf('org_name', organisation),
    leaf('email', email),
    leaf('extra_contact_info', extraContact),
    leaf('report_id', reportId),
    element('date_range', [leaf('begin', begin), leaf('end', end)]),
    ...errors.map((error) => leaf('error', error)),
  ]);
}

function writePolicy(policy: PublishedPolicy): string {
  const { domain, adkim, aspf, p, sp, np, t, psd, fo, discovery } = policy;
  return element('policy_published', [
    leaf('domain', domain),
    leaf('adkim', adkim),
    leaf('aspf', aspf),
    leaf('p', p),
    leaf('sp', sp),
    leaf('np', np),
    leaf('t', t),
    leaf('psd', psd),
    leaf('fo', fo),
    leaf('discovery_method', discovery),
  ]);
}

function writeRecord(record: ReportRecord): string {
  const reasons = (record.reasons ?? []).map(({ type, comment }) =>
    element('reason', [leaf('type', type), leaf('comment', comment)]),
  );
  return element('record', [
    element('row', [
      leaf('source_ip', expandIpv6(record.sourceIp)),
      leaf('count', record.count),
      element('policy_evaluated', [
        leaf('disposition', record.disposition),
        leaf('dkim', record.dkim),
        leaf('spf', record.spf),
        ...reasons,
      ]),
    ]),
    element('identifiers', [
      leaf('envelope_to', record.envelopeTo),
      leaf('envelope_from', record.envelopeFrom),
      leaf('header_from', record.headerFrom),
    ]),
    element('auth_results', [
      ...record.dkimResults.map(({ domain, selector, result, detail }) =>
        element('dkim', [
          leaf('domain', domain),
          leaf('selector', selector),
          leaf('result', result),
          leaf('human_result', detail),
        ]),
      ),
      ...record.spfResults.map(({ domain, scope, result }) =>
        element('spf', [leaf('domain', domain), leaf('scope', scope), leaf('result', result)]),
      ),
    ]),
  ]);
}

function element(name: string, children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>\n`;
}

function leaf(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeText(String(value))}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * The text contains values from untrusted hosts: characters that XML 1.0 2.2 forbids become U+FFFD, and so do those
 * that would steer a terminal.
 */
function escapeText(text: string): string {
  return cleanLine(text)
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>]/g, (character) => ENTITIES[character]!);
}
