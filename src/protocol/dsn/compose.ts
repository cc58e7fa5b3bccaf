/**
 * Composes a delivery status notification: multipart/report (RFC 6522) of a text for people, the
 * status for programs (RFC 3464), and the original or its header.
 *
 * Pure: dates, ids and the boundary are passed in. The original is a segment and is never read here, so a large one
 * streams. All of it is 7-bit unless an address or the returned part is not (RFC 6533).
 */
import { encodeQuotedPrintable } from '../mime/quoted-printable.ts';
import type { Segment } from '../mime/types.ts';
import { formatDate } from './date.ts';
import { field, isAscii, oneLine } from './field-text.ts';
import { aboutRecipient, humanText, subjectOf } from './human-text.ts';
import { returnedPart } from './returned-part.ts';
import { needsUtf8, recipientFields, statusFields } from './status-fields.ts';
import type { Dsn, DsnRecipient, DsnReport } from './types.ts';

/** The texts of a report about one recipient: for people, and for programs. */
export interface DsnRecipientTexts {
  readonly about: string;
  readonly fields: string;
}

/**
 * For some of its recipients: nearly all the work of a report, so a caller with many recipients does it in several
 * turns of the event loop. `utf8`: from `needsUtf8`.
 */
export function recipientTexts(recipients: readonly DsnRecipient[], utf8: boolean): DsnRecipientTexts[] {
  return recipients.map((one) => ({ about: aboutRecipient(one), fields: recipientFields(one, utf8) }));
}

/** `texts`: of all recipients, if the caller has made them already. */
export function composeDsn(
  report: DsnReport,
  texts: readonly DsnRecipientTexts[] = recipientTexts(report.recipients, needsUtf8(report)),
): Dsn {
  const utf8 = needsUtf8(report);
  const returned = returnedPart(report.returned);
  const is8bit = utf8 || returned?.is8bit === true;
  const smtputf8 = !isAscii(report.to) || !isAscii(report.from);
  const subject = subjectOf(report.recipients);
  const delimiter = `--${report.boundary}\r\n`;

  const head =
    header(report, subject, is8bit || smtputf8) +
    delimiter +
    textPart(report, texts) +
    delimiter +
    statusPart(report, utf8, texts);
  const segments: Segment[] = [];
  if (returned) {
    segments.push({ kind: 'bytes', bytes: Buffer.from(head + delimiter + returned.header, 'utf8') }, returned.content);
    segments.push({ kind: 'bytes', bytes: Buffer.from(`\r\n--${report.boundary}--\r\n`, 'latin1') });
  } else segments.push({ kind: 'bytes', bytes: Buffer.from(`${head}--${report.boundary}--\r\n`, 'utf8') });

  const sizeBytes = segments.reduce(
    (sum, part) => sum + (part.kind === 'bytes' ? part.bytes.length : part.end - part.start),
    0,
  );
  return { segments, sizeBytes, body: is8bit || smtputf8 ? '8BITMIME' : '7BIT', smtputf8, subject };
}

function header(report: DsnReport, subject: string, is8bit: boolean): string {
  let text = field('From', `Mail Delivery System <${oneLine(report.from)}>`);
  text += field('To', `<${oneLine(report.to)}>`);
  text += field('Subject', subject);
  text += field('Date', formatDate(report.date));
  text += field('Message-ID', report.messageId);
  // So that mail programs show the report next to the original message.
  const original = oneLine(report.originalMessageId ?? '');
  if (/^<[!-;=?-~]{1,900}>$/.test(original)) text += field('In-Reply-To', original) + field('References', original);
  // RFC 3834 5.1, and RFC 3464's advice against automatic answers.
  text += field('Auto-Submitted', 'auto-replied');
  text += 'MIME-Version: 1.0\r\n';
  text += `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${report.boundary}"\r\n`;
  if (is8bit) text += 'Content-Transfer-Encoding: 8bit\r\n';
  return `${text}\r\n`;
}

/** Always 7-bit: a text that is not ASCII becomes quoted-printable. */
function textPart(report: DsnReport, texts: readonly DsnRecipientTexts[]): string {
  const text = humanText(
    report,
    texts.map(({ about }) => about),
  );
  const isPlain = isAscii(text) && !text.split('\r\n').some((line) => line.length > 998);
  const charset = isAscii(text) ? 'us-ascii' : 'utf-8';
  const encoding = isPlain ? '7bit' : 'quoted-printable';
  const body = isPlain ? text : Buffer.from(encodeQuotedPrintable(Buffer.from(text, 'utf8'))).toString('latin1');
  return (
    `Content-Type: text/plain; charset=${charset}\r\nContent-Transfer-Encoding: ${encoding}\r\n` +
    `Content-Language: en\r\n\r\n${body}\r\n`
  );
}

function statusPart(report: DsnReport, utf8: boolean, texts: readonly DsnRecipientTexts[]): string {
  const groups = texts.map(({ fields }) => fields);
  const type = utf8 ? 'message/global-delivery-status' : 'message/delivery-status';
  const encoding = utf8 ? 'Content-Transfer-Encoding: 8bit\r\n' : '';
  return `Content-Type: ${type}\r\n${encoding}\r\n${statusFields(report, utf8, groups)}\r\n`;
}
