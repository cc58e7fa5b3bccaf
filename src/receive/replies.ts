/** The replies that more than one verb gives (RFC 5321 4.2, RFC 3463, RFC 5248). */
import type { Reply } from '../model/reply.ts';
import type { Problem } from '../protocol/smtp/parsed.ts';

export const OK: Reply = { code: 250, enhanced: '2.0.0', text: 'ok' };
export const NO_ARGUMENT: Reply = { code: 501, enhanced: '5.5.4', text: 'this command takes no argument' };
export const GREET_FIRST: Reply = { code: 503, enhanced: '5.5.1', text: 'say HELO or EHLO first' };
/** RFC 5321 4.1.1.1: a domain or an address literal, which have neither controls nor marks of direction. */
export const BAD_NAME: Reply = {
  code: 501,
  enhanced: '5.5.4',
  text: 'the name in EHLO or HELO has control characters',
};
export const MAIL_FIRST: Reply = { code: 503, enhanced: '5.5.1', text: 'say MAIL first' };
export const NO_RECIPIENTS: Reply = { code: 554, enhanced: '5.5.1', text: 'no valid recipients' };
export const TOO_LARGE: Reply = { code: 552, enhanced: '5.3.4', text: 'the message exceeds the size limit' };
export const SHUTTING_DOWN: Reply = {
  code: 421,
  enhanced: '4.3.2',
  text: 'this server is shutting down, please come again',
  close: true,
};
export const TIMED_OUT: Reply = { code: 421, enhanced: '4.4.2', text: 'timed out', close: true };
/** RFC 4954 6: authentication is required again, for whatever command. */
export const SIGNED_OUT: Reply = {
  code: 530,
  enhanced: '5.7.0',
  text: 'authentication required: the account was disabled, or its credentials changed',
};
export const DISMISSED: Reply = {
  code: 421,
  enhanced: '4.7.0',
  text: 'the account was disabled, or its credentials changed',
  close: true,
};
export const CANNOT_AUTHORIZE: Reply = {
  code: 451,
  enhanced: '4.3.0',
  text: 'cannot look up your account now, try again later',
};
export const DEFECT: Reply = { code: 421, enhanced: '4.3.0', text: 'internal error, please come again', close: true };
export const TRY_AGAIN: Reply = {
  code: 451,
  enhanced: '4.3.0',
  text: 'cannot store the message now, please try again',
};
export const STORE_FULL: Reply = { code: 452, enhanced: '4.3.1', text: 'out of storage, please try again later' };

export function tooMuch(text: string): Reply {
  return { code: 421, enhanced: '4.7.0', text, close: true };
}

export const TOO_MANY_FROM_NETWORK: Reply = tooMuch('too many connections from your network');

/** The code for a malformed argument depends on whether it is a sender or a recipient (RFC 3463 3.2). */
const ADDRESS_STATUS = {
  sender: { address: '5.1.7', domain: '5.1.8' },
  recipient: { address: '5.1.3', domain: '5.1.2' },
} as const;

export function problemReply({ kind, text }: Problem, whose: 'sender' | 'recipient'): Reply {
  switch (kind) {
    case 'syntax':
    case 'parameter':
      return { code: 501, enhanced: '5.5.4', text };
    case 'address':
    case 'too-long':
      return { code: 501, enhanced: ADDRESS_STATUS[whose].address, text };
    case 'idna':
      return { code: 501, enhanced: ADDRESS_STATUS[whose].domain, text };
    // RFC 6531 3.5.
    case 'smtputf8':
      return { code: 553, enhanced: '5.6.7', text };
    // RFC 5321 4.1.1.11.
    case 'unknown-parameter':
      return { code: 555, enhanced: '5.5.4', text };
  }
}
