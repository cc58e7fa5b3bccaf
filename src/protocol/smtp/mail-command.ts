/** MAIL, RCPT and BDAT as the server reads them (RFC 5321 4.1.1.2, 4.1.1.3; RFC 3030 2). */
import { parsePath } from './address.ts';
import { isAsciiText } from './domain.ts';
import { NO_RCPT_PARAMETERS, parseMailParameters, parseRcptParameters, parseSize } from './parameters.ts';
import { type Parsed, parsed, problem } from './parsed.ts';
import type { MailParameters, Recipient, ReversePath } from './types.ts';

export interface MailCommand {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
}

/** `argument`: the text after `MAIL `; a space after the colon is not in the grammar, but common. */
export function parseMail(argument: string): Parsed<MailCommand> {
  const start = skipLabel(argument, 'FROM:');
  if (start < 0) return problem('syntax', 'MAIL must be followed by FROM:<address>');
  // SMTPUTF8 comes after the address that needs it.
  const at = parsePath(argument, start, { smtputf8: true, allowNull: true });
  if (!at.ok) return at;
  const parameters = parseMailParameters(argument.slice(at.value.end));
  if (!parameters.ok) return parameters;
  if (!parameters.value.smtputf8 && !isAsciiText(argument)) return problem('smtputf8', 'the address needs SMTPUTF8');
  return parsed({ reversePath: at.value.path, parameters: parameters.value });
}

/** `smtputf8`: what MAIL of this transaction requested. */
export function parseRcpt(argument: string, smtputf8: boolean): Parsed<Recipient> {
  const start = skipLabel(argument, 'TO:');
  if (start < 0) return problem('syntax', 'RCPT must be followed by TO:<address>');
  const at = parsePath(argument, start, { smtputf8, allowPostmaster: true });
  if (!at.ok) return at;
  const parameters = parseRcptParameters(argument.slice(at.value.end), smtputf8);
  if (!parameters.ok) return parameters;
  const address = at.value.path!;
  return parsed(parameters.value === NO_RCPT_PARAMETERS ? { address } : { address, ...parameters.value });
}

export interface BdatCommand {
  readonly sizeBytes: number;
  readonly last: boolean;
}

export function parseBdat(argument: string): Parsed<BdatCommand> {
  const [size, last, ...more] = argument.split(/ +/);
  const sizeBytes = parseSize(size);
  const malformed = sizeBytes === undefined || more.length > 0 || (last !== undefined && last.toUpperCase() !== 'LAST');
  return malformed
    ? problem('syntax', 'BDAT must be followed by a size and perhaps LAST')
    : parsed({ sizeBytes, last: last !== undefined });
}

function skipLabel(argument: string, label: string): number {
  if (!argument.startsWith(label) && argument.slice(0, label.length).toUpperCase() !== label) return -1;
  let start = label.length;
  while (argument.charCodeAt(start) === 0x20) start++;
  return start;
}
