/**
 * MAIL and RCPT as the client sends them (RFC 5321 4.1.1.2, 4.1.1.3), without CRLF. The caller passes only parameters
 * of extensions that the peer offers.
 */
import { isAsciiText } from './domain.ts';
import type { MailParameters, Notify, OriginalRecipient, Recipient, ReversePath } from './types.ts';
import { encodeUtf8Address, encodeXtext } from './xtext.ts';

export function formatMail(reversePath: ReversePath, parameters: Partial<MailParameters> = {}): string {
  let line = `MAIL FROM:<${reversePath === null ? '' : reversePath.text}>`;
  if (parameters.sizeBytes !== undefined) line += ` SIZE=${parameters.sizeBytes}`;
  if (parameters.body !== undefined) line += ` BODY=${parameters.body}`;
  if (parameters.smtputf8) line += ' SMTPUTF8';
  if (parameters.ret !== undefined) line += parameters.ret === 'full' ? ' RET=FULL' : ' RET=HDRS';
  if (parameters.envid !== undefined) line += ` ENVID=${encodeXtext(parameters.envid)}`;
  return line;
}

/** `smtputf8`: this transaction uses it, so ORCPT may leave ASCII (RFC 6533 3). */
export function formatRcpt(recipient: Recipient, smtputf8 = false): string {
  let line = `RCPT TO:<${recipient.address.text}>`;
  if (recipient.notify !== undefined) line += ` NOTIFY=${formatNotify(recipient.notify)}`;
  if (recipient.orcpt !== undefined) line += ` ORCPT=${formatOrcpt(recipient.orcpt, smtputf8)}`;
  return line;
}

function formatNotify(notify: Notify): string {
  return notify === 'never' ? 'NEVER' : notify.join(',').toUpperCase();
}

/** RFC 6533 3: an address beyond ASCII must have the type utf-8, whatever type was received. */
function formatOrcpt({ type, address }: OriginalRecipient, smtputf8: boolean): string {
  if (isAsciiText(address) && type !== 'utf-8') return `${type};${encodeXtext(address)}`;
  return `utf-8;${encodeUtf8Address(address, smtputf8 ? 'unitext' : 'xtext')}`;
}
