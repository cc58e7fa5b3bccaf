/**
 * `KEYWORD=value` parameters after the path of MAIL and RCPT (RFC 5321 4.1.2 esmtp-param), with the extensions' own
 * grammar: SIZE, BODY, SMTPUTF8, RET, ENVID, NOTIFY, ORCPT.
 */
import { ENVID_CHARACTERS, ORCPT_CHARACTERS, PARAMETERS, SIZE_DIGITS, SIZE_DIGITS_AT_ALL } from './limits.ts';
import { type Parsed, parsed, problem } from './parsed.ts';
import type { BodyType, MailParameters, Notify, OriginalRecipient, Recipient } from './types.ts';
import { decodeUtf8Address, decodeXtext } from './xtext.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NO_MAIL_PARAMETERS: MailParameters = { body: '7BIT', smtputf8: false };
export const NO_RCPT_PARAMETERS: Omit<Recipient, 'address'> = {};

export function parseMailParameters(text: string): Parsed<MailParameters> {
  if (text === '') return parsed(NO_MAIL_PARAMETERS);
  const parameters: Mutable<MailParameters> = { body: '7BIT', smtputf8: false };
  const read = readParameters(text, (keyword, value) => {
    switch (keyword) {
      case 'SIZE':
        parameters.sizeBytes = parseSize(value);
        return parameters.sizeBytes !== undefined;
      case 'BODY':
        parameters.body = value?.toUpperCase() as BodyType;
        return parameters.body === '8BITMIME' || parameters.body === '7BIT' || parameters.body === 'BINARYMIME';
      case 'SMTPUTF8':
        parameters.smtputf8 = true;
        return value === undefined;
      case 'RET':
        parameters.ret = RETURNS[value?.toUpperCase() ?? ''];
        return parameters.ret !== undefined;
      case 'ENVID':
        parameters.envid = value && value.length <= ENVID_CHARACTERS ? decodeXtext(value) : undefined;
        return parameters.envid !== undefined;
      default:
        return undefined;
    }
  });
  return read.ok ? parsed(parameters) : read;
}

/** RFC 3461 4.3. */
const RETURNS: Readonly<Record<string, MailParameters['ret']>> = { FULL: 'full', HDRS: 'headers' };

export function parseRcptParameters(text: string, smtputf8: boolean): Parsed<Omit<Recipient, 'address'>> {
  if (text === '') return parsed(NO_RCPT_PARAMETERS);
  const parameters: Mutable<Omit<Recipient, 'address'>> = {};
  const read = readParameters(text, (keyword, value) => {
    switch (keyword) {
      case 'NOTIFY':
        parameters.notify = parseNotify(value ?? '');
        return parameters.notify !== undefined;
      case 'ORCPT':
        parameters.orcpt = parseOrcpt(value ?? '', smtputf8);
        return parameters.orcpt !== undefined;
      default:
        return undefined;
    }
  });
  return read.ok ? parsed(parameters) : read;
}

const WELL_FORMED = parsed(undefined);

/** `take` returns whether the value is valid; undefined: it does not know the keyword. */
function readParameters(
  text: string,
  take: (keyword: string, value: string | undefined) => boolean | undefined,
): Parsed<undefined> {
  if (text.charCodeAt(0) !== 0x20) return problem('syntax', 'a space must follow the address');
  const seen = new Set<string>();
  for (const parameter of text.split(' ')) {
    if (parameter === '') continue;
    const equals = parameter.indexOf('=');
    const keyword = (equals < 0 ? parameter : parameter.slice(0, equals)).toUpperCase();
    if (seen.has(keyword)) return problem('parameter', 'a parameter is given twice');
    if (seen.size >= PARAMETERS) return problem('parameter', 'too many parameters');
    seen.add(keyword);
    const good = take(keyword, equals < 0 ? undefined : parameter.slice(equals + 1));
    if (good === undefined) return problem('unknown-parameter', 'a parameter is not recognised');
    if (!good) return problem('parameter', `the value of ${keyword} is not valid`);
  }
  return WELL_FORMED;
}

/** Decimal bytes (RFC 1870 6.1, RFC 3030 2); a number that exceeds 2^53 is valid, and too large. */
export function parseSize(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text) || text.length > SIZE_DIGITS_AT_ALL) return undefined;
  const digits = text.replace(/^0+(?=\d)/, '');
  return digits.length > SIZE_DIGITS ? Number.MAX_SAFE_INTEGER : Number(digits);
}

/** RFC 3461 4.1: NEVER must be alone. */
function parseNotify(value: string): Notify | undefined {
  const words = value.toUpperCase().split(',');
  if (words.length === 1 && words[0] === 'NEVER') return 'never';
  const known = words.every((word) => word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY');
  if (!known || new Set(words).size !== words.length) return undefined;
  return words.map((word) => word.toLowerCase() as 'success' | 'failure' | 'delay');
}

/** RFC 3461 4.2, RFC 6533 3: utf-8 addresses have an encoding of their own. */
function parseOrcpt(value: string, smtputf8: boolean): OriginalRecipient | undefined {
  const semicolon = value.indexOf(';');
  const type = value.slice(0, Math.max(semicolon, 0)).toLowerCase();
  if (value.length > ORCPT_CHARACTERS || !/^[a-z0-9][a-z0-9-]*$/.test(type)) return undefined;
  const encoded = value.slice(semicolon + 1);
  if (type === 'utf-8' && !smtputf8 && /[^\x00-\x7f]/.test(encoded)) return undefined;
  const address = type === 'utf-8' ? decodeUtf8Address(encoded) : decodeXtext(encoded);
  return address ? { type, address } : undefined;
}
