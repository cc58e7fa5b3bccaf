/**
 * Composes a failure report (RFC 9991): multipart/report (RFC 6522) of a text for people, the feedback for programs
 * (RFC 5965, RFC 6591), and a few header fields of the message, never its body.
 *
 * Pure and 7-bit; text from the message never ends a line.
 */
import { formatDate } from '../dsn/date.ts';
import { asciiOnly, field, oneLine } from '../dsn/field-text.ts';
import type { FailureReport } from './types.ts';

export function composeFailure(report: FailureReport): Uint8Array {
  const { boundary } = report;
  const parts = [humanPart(report), feedbackPart(report), headerPart(report)];
  const body = parts.map((part) => `--${boundary}\r\n${part}`).join('');
  return Buffer.from(`${topHeader(report)}${body}--${boundary}--\r\n`, 'latin1');
}

function topHeader({ from, to, date, messageId, boundary, reportedDomain }: FailureReport): string {
  return (
    field('From', `<${plain(from)}>`) +
    field('To', `<${plain(to)}>`) +
    field('Subject', `DMARC failure report for ${plain(reportedDomain)}`) +
    field('Date', formatDate(date)) +
    field('Message-ID', messageId) +
    // RFC 3834 5.1: a program must not answer the report of a program.
    field('Auto-Submitted', 'auto-generated') +
    'MIME-Version: 1.0\r\n' +
    `Content-Type: multipart/report; report-type=feedback-report;\r\n boundary="${boundary}"\r\n\r\n`
  );
}

function humanPart({ reportedDomain, sourceIp, reportingHost, arrivedAt }: FailureReport): string {
  return (
    'Content-Type: text/plain; charset=us-ascii\r\n\r\n' +
    `A message that says it is from ${plain(reportedDomain)} failed DMARC.\r\n` +
    `It came to ${plain(reportingHost)} from ${plain(sourceIp)} on ${formatDate(arrivedAt)}.\r\n\r\n`
  );
}

function feedbackPart(report: FailureReport): string {
  return (
    'Content-Type: message/feedback-report\r\n\r\n' +
    field('Feedback-Type', 'auth-failure') +
    field('Version', '1') +
    field('User-Agent', plain(report.userAgent)) +
    field('Auth-Failure', 'dmarc') +
    field('Authentication-Results', plain(report.authenticationResults)) +
    field('Original-Mail-From', `<${plain(report.mailFrom)}>`) +
    field('Arrival-Date', formatDate(report.arrivedAt)) +
    field('Source-IP', plain(report.sourceIp)) +
    field('Reported-Domain', plain(report.reportedDomain)) +
    field('Delivery-Result', report.deliveryResult) +
    field('Identity-Alignment', report.alignment) +
    '\r\n'
  );
}

/** RFC 5965 2 (d): the header alone is enough. */
function headerPart({ header }: FailureReport): string {
  const fields = header.map(([name, value]) => field(name, plain(value))).join('');
  return `Content-Type: text/rfc822-headers\r\n\r\n${fields}\r\n`;
}

function plain(text: string): string {
  return asciiOnly(oneLine(text));
}
