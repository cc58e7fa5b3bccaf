/**
 * Mailboxes and paths (RFC 5321 4.1.2, RFC 6531 3.3): text to Address and back.
 *
 * Strict where a lenient reading would let two servers disagree about the mailbox (comments, folding, obsolete forms
 * are refused), lenient about length, which does no harm within a bound.
 */
import { isAsciiText, parseAddressLiteral, parseDomain } from './domain.ts';
import { LOCAL_PART_BYTES } from './limits.ts';
import { type Parsed, parsed, problem } from './parsed.ts';
import type { Address, ReversePath } from './types.ts';

export interface PathRules {
  /** The session may use addresses beyond ASCII (RFC 6531). */
  readonly smtputf8: boolean;
  /** `<>`, only in MAIL. */
  readonly allowNull?: boolean;
  /** `<postmaster>` without a domain, only in RCPT (RFC 5321 4.1.1.3). */
  readonly allowPostmaster?: boolean;
}

/** A path at the start of a text, and the position after it. */
export interface PathAt {
  readonly path: ReversePath;
  readonly end: number;
}

/** RFC 5322 3.2.3 atext, by code. */
const ATEXT = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~")
  ATEXT[character.charCodeAt(0)] = 1;

/** `local@domain` alone. `smtputf8` (default true): it may be international. */
export function parseAddress(text: string, smtputf8 = true): Parsed<Address> {
  if (!smtputf8 && !isAsciiText(text)) return problem('smtputf8', 'the address needs SMTPUTF8');
  const local = parseLocalPart(text, 0);
  if (!local.ok) return local;
  const { end } = local.value;
  if (text.charCodeAt(end) !== 0x40) return problem('address', 'the address has no domain');
  const domainText = text.slice(end + 1);
  const domain = domainText.startsWith('[') ? parseAddressLiteral(domainText) : parseDomain(domainText);
  if (!domain.ok) return domain;
  const isAsRead = domain.value === domainText && text.charCodeAt(0) !== QUOTE;
  return parsed(
    isAsRead ? { local: local.value.local, domain: domain.value, text } : makeAddress(local.value.local, domain.value),
  );
}

const QUOTE = 0x22;

/** An Address of parts that are known to be well formed; quotes the local part only if necessary. */
export function makeAddress(local: string, domain: string): Address {
  const quoted = isDotString(local) ? local : `"${local.replace(/["\\]/g, '\\$&')}"`;
  return { local, domain, text: domain === '' ? quoted : `${quoted}@${domain}` };
}

/**
 * `<...>` (or a mailbox without brackets) at `start` of `text`; a source route (RFC 5321 appendix C) is recorded and
 * never followed.
 */
export function parsePath(text: string, start: number, rules: PathRules): Parsed<PathAt> {
  if (text.charCodeAt(start) !== 0x3c) return parseUnbracketed(text, start, rules.smtputf8);
  const end = closingBracket(text, start + 1);
  if (end < 0) return problem('syntax', 'the address has no closing angle bracket');
  const inner = text.slice(start + 1, end);
  if (inner === '' && rules.allowNull) return parsed({ path: null, end: end + 1 });
  if (rules.allowPostmaster && inner.length === 10 && inner.toLowerCase() === 'postmaster')
    return parsed({ path: { local: inner, domain: '', text: inner }, end: end + 1 });
  const mailbox = inner.startsWith('@') ? parseRouted(inner, rules.smtputf8) : parseAddress(inner, rules.smtputf8);
  return mailbox.ok ? parsed({ path: mailbox.value, end: end + 1 }) : mailbox;
}

/** Old devices omit the brackets; as no mailbox without quotes has a space, the meaning is clear. */
function parseUnbracketed(text: string, start: number, smtputf8: boolean): Parsed<PathAt> {
  const space = text.indexOf(' ', start);
  const end = space < 0 ? text.length : space;
  if (end === start || text.charCodeAt(start) === 0x22) {
    return problem('syntax', 'the address must stand in angle brackets');
  }
  const mailbox = parseAddress(text.slice(start, end), smtputf8);
  return mailbox.ok ? parsed({ path: mailbox.value, end }) : mailbox;
}

/** The first ">" outside of a quoted string. */
function closingBracket(text: string, from: number): number {
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3e && !quoted) return i;
    if (code === 0x22) quoted = !quoted;
    else if (code === 0x5c && quoted) i++;
  }
  return -1;
}

/** `@a,@b:user@c` (RFC 5321 4.1.2 A-d-l). */
function parseRouted(inner: string, smtputf8: boolean): Parsed<Address> {
  const colon = inner.indexOf(':');
  const route = inner.slice(0, Math.max(colon, 0));
  for (const hop of route.split(',')) {
    if (!hop.startsWith('@') || !parseDomain(hop.slice(1)).ok)
      return problem('address', 'the source route is malformed');
  }
  const address = parseAddress(inner.slice(colon + 1), smtputf8);
  return address.ok ? parsed({ ...address.value, route }) : address;
}

interface LocalPart {
  readonly local: string;
  readonly end: number;
}

function parseLocalPart(text: string, start: number): Parsed<LocalPart> {
  const part = text.charCodeAt(start) === 0x22 ? parseQuoted(text, start) : parseDotString(text, start);
  if (!part.ok) return part;
  const { local } = part.value;
  const size = isAsciiText(local) ? local.length : Buffer.byteLength(local);
  return size > LOCAL_PART_BYTES ? problem('too-long', 'the local part is too long') : part;
}

function parseDotString(text: string, start: number): Parsed<LocalPart> {
  let i = start;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x40) break;
    if (code === 0x2e ? i === start || text.charCodeAt(i - 1) === 0x2e : code < 0x80 && ATEXT[code] === 0)
      return problem('address', 'the local part has a character that must be quoted');
    if (isControlBeyondAscii(code)) return problem('address', 'the local part has a control character');
  }
  if (i === start) return problem('address', 'the local part is empty');
  if (text.charCodeAt(i - 1) === 0x2e) return problem('address', 'the local part ends with a dot');
  return parsed({ local: text.slice(start, i), end: i });
}

/** RFC 5321 4.1.2 Quoted-string: printable ASCII, space and UTF-8; a backslash before any printable. */
function parseQuoted(text: string, start: number): Parsed<LocalPart> {
  let local = '';
  for (let i = start + 1; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code === 0x22) return parsed({ local, end: i + 1 });
    if (code === 0x5c) {
      code = text.charCodeAt(++i);
      if (!(code >= 0x20 && code <= 0x7e)) break;
    }
    if (code < 0x20 || code === 0x7f || isControlBeyondAscii(code)) break;
    local += text[i];
  }
  return problem('address', 'the quoted local part is malformed');
}

/** C1 controls, line and paragraph separators, and halves of surrogate pairs, which readers treat differently. */
function isControlBeyondAscii(code: number): boolean {
  return (code >= 0x80 && code <= 0x9f) || code === 0x2028 || code === 0x2029 || code === 0xfffd;
}

function isDotString(local: string): boolean {
  let previous = 0x2e;
  for (let i = 0; i < local.length; i++) {
    const code = local.charCodeAt(i);
    if (code === 0x2e ? previous === 0x2e : code < 0x80 && ATEXT[code] === 0) return false;
    previous = code;
  }
  return previous !== 0x2e;
}

/**
 * Whether the local part asks for a further hop: a source route, `user%host`, `host!user`, or a quoted "@". Old
 * servers relayed such mail, so a local domain does not make it local.
 */
export function looksLikeRelay(address: Address): boolean {
  if (address.route !== undefined) return true;
  const { local } = address;
  for (let i = 0; i < local.length; i++) {
    const code = local.charCodeAt(i);
    if (code === 0x25 || code === 0x21 || code === 0x40) return true;
  }
  return false;
}
