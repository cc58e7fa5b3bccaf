/**
 * The part of a report that programs read: message/delivery-status (RFC 3464 2), or its UTF-8 form
 * message/global-delivery-status (RFC 6533 4) if an address requires it.
 */
import { formatDate } from './date.ts';
import { asciiOnly, field, isAscii, oneLine } from './field-text.ts';
import type { DsnRecipient, DsnReport } from './types.ts';

/** Whether an address in it cannot be written in ASCII. */
export function needsUtf8(report: Pick<DsnReport, 'recipients'>): boolean {
  return report.recipients.some(
    ({ finalRecipient, orcpt }) => !isAscii(finalRecipient) || !isAscii(orcpt?.address ?? ''),
  );
}

/**
 * Groups of fields, the message's first, an empty line between them. `groups`: the groups of `recipientFields`, in
 * order.
 */
export function statusFields(
  report: DsnReport,
  utf8: boolean,
  groups: readonly string[] = report.recipients.map((recipient) => recipientFields(recipient, utf8)),
): string {
  const text = textIn(utf8);
  let message = field('Reporting-MTA', `dns; ${text(report.reportingMta)}`);
  // RFC 3464 2.2.1: decoded from xtext, and before the other fields, since the sender matches by it.
  if (report.envid !== undefined) message = field('Original-Envelope-Id', text(report.envid)) + message;
  message += field('Arrival-Date', formatDate(report.arrivedAt));
  return [message, ...groups].join('\r\n');
}

function textIn(utf8: boolean): (value: string) => string {
  return (value) => (utf8 ? oneLine(value) : asciiOnly(oneLine(value)));
}

export function recipientFields(recipient: DsnRecipient, utf8: boolean): string {
  const text = textIn(utf8);
  const { orcpt, finalRecipient, remoteMta, diagnostic, lastAttemptAt, willRetryUntil, action } = recipient;
  const finalType = isAscii(finalRecipient) ? 'rfc822' : 'utf-8';
  let fields = orcpt ? field('Original-Recipient', `${text(orcpt.type)}; ${text(orcpt.address)}`) : '';
  fields += field('Final-Recipient', `${finalType}; ${text(finalRecipient)}`);
  fields += field('Action', action);
  fields += field('Status', text(recipient.status));
  if (remoteMta !== undefined) fields += field('Remote-MTA', `dns; ${text(remoteMta)}`);
  if (diagnostic)
    fields += field(
      'Diagnostic-Code',
      `${diagnostic.saidBy === 'remote' ? 'smtp' : 'X-Postern'}; ${text(diagnostic.text)}`,
    );
  if (lastAttemptAt !== undefined) fields += field('Last-Attempt-Date', formatDate(lastAttemptAt));
  // RFC 3464 2.3.9: only while delivery is still being tried.
  if (action === 'delayed' && willRetryUntil !== undefined)
    fields += field('Will-Retry-Until', formatDate(willRetryUntil));
  return fields;
}
