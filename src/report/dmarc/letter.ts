/** The message that carries an aggregate report (RFC 9990 3.5): a sentence for people, and the file. */
import { formatDate } from '../../protocol/dsn/date.ts';
import { asciiOnly, field, oneLine } from '../../protocol/dsn/field-text.ts';
import type { PackedReport } from './build.ts';
import type { Reporter } from './reporter.ts';

export interface ReportLetter {
  readonly to: string;
  readonly policyDomain: string;
  readonly reportId: string;
  readonly date: number;
  readonly messageId: string;
  readonly boundary: string;
}

export function composeReport(reporter: Reporter, packed: PackedReport, letter: ReportLetter): Uint8Array {
  const { to, policyDomain, reportId, date, messageId, boundary } = letter;
  const head =
    field('From', `<${reporter.contact}>`) +
    field('To', `<${to}>`) +
    field('Subject', `Report Domain: ${policyDomain} Submitter: ${reporter.domain} Report-ID: <${reportId}>`) +
    field('Date', formatDate(date)) +
    field('Message-ID', messageId) +
    // RFC 3834 5.1, and the older field for programs that know only that.
    field('Auto-Submitted', 'auto-generated') +
    field('Precedence', 'bulk') +
    'MIME-Version: 1.0\r\n' +
    `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`;
  const text =
    `--${boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n` +
    `This is a DMARC aggregate report on ${asciiOnly(oneLine(policyDomain))}\r\nfrom ${asciiOnly(oneLine(reporter.organisation))}.\r\n\r\n`;
  const file =
    `--${boundary}\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n` +
    `Content-Disposition: attachment;\r\n filename="${packed.filename}"\r\n\r\n` +
    `${base64Lines(packed.bytes)}\r\n--${boundary}--\r\n`;
  return Buffer.from(head + text + file, 'latin1');
}

/** RFC 2045 6.8: lines of at most 76. */
function base64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return text.replaceAll(/.{76}(?=.)/g, '$&\r\n');
}
