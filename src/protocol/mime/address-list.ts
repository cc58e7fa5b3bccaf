/**
 * Address lists of header fields (RFC 5322 3.4, with the obsolete forms of 4.4).
 *
 * Made to say who a From field names, and whether two readers could see two different people in it.
 * Tolerant: reads what it can and says `isMalformed` for the rest. Linear in the length of the value;
 * never throws. Comments are kept apart, quotes are undone, encoded words stay as written, domains are
 * A-labels.
 */
import { isAsciiText, parseAddressLiteral } from '../smtp/domain.ts';
import { type AuthorDomain, readAuthorDomain } from './author-domain.ts';
import { MIME_LIMITS } from './limits.ts';
import { readable } from './text.ts';
import type { AddressList, Mailbox } from './words.ts';

/** One element of the list as it is being read. */
interface Element {
  /** Words so far, quotes undone, comments gone, runs of white space one space. */
  words: string;
  /** Where in `words` the last `@` outside quotes is, else -1. */
  at: number;
  atCount: number;
  pendingSpace: boolean;
  /** Begins with an `@`, as the obsolete source route does. Asked at each comma: `words` would be flattened each time. */
  isRoute: boolean;
  /** The last word ends in a dot or an `@`, outside quotes: what follows belongs to it. */
  isOpen: boolean;
  /** A space stands between two words, outside quotes. */
  hasGap: boolean;
  /** Quotes were undone, before an `@` or behind one. */
  hasQuotedLocal: boolean;
  hasQuotedDomain: boolean;
  /** Some readers show them as the name, as mail of old had it there. */
  comments: string;
  /** What was in the angle brackets, once they were read. */
  angle: Element | undefined;
}

function emptyElement(): Element {
  return {
    words: '',
    at: -1,
    atCount: 0,
    pendingSpace: false,
    isRoute: false,
    isOpen: false,
    hasGap: false,
    hasQuotedLocal: false,
    hasQuotedDomain: false,
    comments: '',
    angle: undefined,
  };
}

function append(element: Element, text: string): void {
  if (element.pendingSpace && element.words !== '') element.words += ' ';
  element.pendingSpace = false;
  element.words = element.words === '' ? text : element.words + text;
}

function appendWord(element: Element, text: string): void {
  // RFC 5322 4.4: white space and comments around the dots and the `@` of an address part no words.
  if (element.pendingSpace && element.words !== '' && !element.isOpen && !/^[.@]/.test(text)) element.hasGap = true;
  if (element.words === '') element.isRoute = text.startsWith('@');
  append(element, text);
  element.isOpen = /[.@]$/.test(text);
}

function appendQuoted(element: Element, text: string): void {
  if (element.pendingSpace && element.words !== '' && !element.isOpen) element.hasGap = true;
  append(element, text);
  element.isOpen = false;
  if (element.at < 0) element.hasQuotedLocal = true;
  else element.hasQuotedDomain = true;
}

/** Ends a run of ordinary characters: what the list is made of, and white space. */
const ENDS_RUN = new Uint8Array(128);
for (const character of ' \t\r\n"(<>:,;[') ENDS_RUN[character.charCodeAt(0)] = 1;

/** Behind the ordinary characters at `start`, an `@` among them; at least one is read, whatever it is. */
function endOfRun(value: string, start: number): number {
  let i = start + 1;
  for (; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 128 && ENDS_RUN[code] === 1) break;
  }
  return i;
}

function appendRun(element: Element, run: string): void {
  appendWord(element, run);
  const start = element.words.length - run.length;
  for (let at = run.indexOf('@'); at >= 0; at = run.indexOf('@', at + 1)) {
    element.at = start + at;
    element.atCount++;
  }
}

/** Of a field in a message: `value` is a binary string without line breaks. */
export function readAddressField(value: string): AddressList {
  const text = readable(value);
  return parseAddressList(text, text === value);
}

/** `octets`: the field is a binary string, being ASCII or not UTF-8 throughout. */
export function parseAddressList(field: string, octets = false): AddressList {
  const value = field.slice(0, MIME_LIMITS.addressFieldCharacters);
  const mailboxes: Mailbox[] = [];
  const groups: string[] = [];
  let isMalformed = value.length < field.length;
  let inGroup = false;
  let outer = emptyElement();
  let inner: Element | undefined;

  const finish = (): void => {
    if (inner) isMalformed = true;
    const made = toMailbox(outer, inner, octets);
    if (made.mailbox) mailboxes.push(made.mailbox);
    if (made.isMalformed) isMalformed = true;
    outer = emptyElement();
    inner = undefined;
  };

  for (let i = 0; i < value.length; i++) {
    const element = inner ?? outer;
    const c = value[i]!;
    if (c === ' ' || c === '\t' || c === '\r' || c === '\n') element.pendingSpace = true;
    else if (c === '"') {
      const end = endOfQuoted(value, i);
      if (end === value.length || (outer.angle && !inner)) isMalformed = true;
      appendQuoted(element, unquote(value.slice(i + 1, end)));
      i = end;
    } else if (c === '(') {
      const end = endOfComment(value, i);
      if (end === value.length) isMalformed = true;
      const comment = unquote(value.slice(i + 1, end)).trim();
      outer.comments = outer.comments === '' ? comment : `${outer.comments} ${comment}`;
      element.pendingSpace = true;
      i = end;
    } else if (c === '<' && !inner) {
      if (outer.angle) {
        // Some readers take the first address, some the last.
        isMalformed = true;
        finish();
      }
      inner = emptyElement();
    } else if (c === '>' && inner) {
      outer.angle = inner;
      inner = undefined;
    } else if (c === ':' && inner) {
      // The obsolete source route of 4.4: `<@a,@b:local@domain>`; only the last part names the mailbox.
      inner = emptyElement();
    } else if (c === ',' && inner?.isRoute) appendWord(inner, ',');
    else if (c === ',') finish();
    else if (c === ':' && !inGroup && !outer.angle && outer.at < 0 && outer.words !== '') {
      groups.push(outer.words);
      inGroup = true;
      outer = emptyElement();
    } else if (c === ';' && inGroup && !inner) {
      finish();
      inGroup = false;
    } else if (c === '[') {
      const end = endOfLiteral(value, i);
      if (end === value.length) isMalformed = true;
      appendWord(element, value.slice(i, end + 1));
      i = end;
    } else if (c === '=' && endOfEncodedWord(value, i) > i) {
      const end = endOfEncodedWord(value, i);
      const word = value.slice(i, end);
      if (DIVIDES_READERS.test(word) || (outer.angle && !inner)) isMalformed = true;
      appendWord(element, word);
      i = end - 1;
    } else {
      const isStray = c === '<' || c === '>' || c === ';' || c === ':';
      if (isStray || (outer.angle && !inner)) isMalformed = true;
      const end = isStray ? i + 1 : endOfRun(value, i);
      appendRun(element, value.slice(i, end));
      i = end - 1;
    }
  }
  if (inGroup) isMalformed = true;
  finish();
  return { mailboxes, groups, isMalformed };
}

function toMailbox(
  outer: Element,
  unclosed: Element | undefined,
  octets: boolean,
): { mailbox?: Mailbox; isMalformed: boolean } {
  const angle = outer.angle ?? unclosed;
  const address = angle ?? outer;
  // Empty elements between commas are an obsolete form (RFC 5322 4.4).
  if (address.words === '') return { isMalformed: outer.words !== '' || angle !== undefined };
  const { words, at, atCount, hasQuotedLocal, hasQuotedDomain } = address;
  const local = at < 0 ? words : words.slice(0, at).trimEnd();
  const written = at < 0 ? '' : joinDots(words.slice(at + 1)).trim();
  const read = atCount > 1 || hasQuotedDomain ? undefined : readDomain(written, octets);
  // Words before a bare address, as in `Alice alice@example.com`: no reader agrees with another here.
  const hasStrayWords = !angle && outer.hasGap;
  const displayName = angle && outer.words !== '' ? outer.words : undefined;
  const mailbox = {
    displayName,
    ...(outer.comments !== '' && { comment: outer.comments }),
    local: hasQuotedLocal ? local : joinDots(local),
    domain: read?.domain ?? '',
    ...(written !== '' && (!read || read.isDisguised) && { writtenDomain: written }),
  };
  return { mailbox, isMalformed: local === '' || !read || read.isDisguised || hasStrayWords };
}

function readDomain(written: string, octets: boolean): AuthorDomain | undefined {
  if (written.startsWith('[')) {
    const literal = parseAddressLiteral(written);
    return literal.ok ? { domain: literal.value, isDisguised: false } : undefined;
  }
  if (!octets || isAsciiText(written)) return readAuthorDomain(written);
  const text = readable(written);
  return text === written ? undefined : readAuthorDomain(text);
}

/** The obsolete forms of a dotted name, with white space around its dots (RFC 5322 4.4). */
function joinDots(text: string): string {
  return text.includes(' ') ? text.replaceAll(/ ?\. ?/g, '.') : text;
}

const ENCODED_WORD = /=\?[^?\s]+\?[bq]\?[^?\s]*\?=/iy;
/** In an encoded word it is text (RFC 2047 6.1), for who decodes first, or never, the syntax of the list. */
const DIVIDES_READERS = /[<>"(]/;

/** Behind the encoded word that begins at `start`; `start` where none does. */
function endOfEncodedWord(value: string, start: number): number {
  ENCODED_WORD.lastIndex = start;
  return ENCODED_WORD.test(value) ? ENCODED_WORD.lastIndex : start;
}

/** The index of the closing quote; the value's length where there is none. */
function endOfQuoted(value: string, start: number): number {
  let i = start + 1;
  while (i < value.length && value[i] !== '"') i += value[i] === '\\' ? 2 : 1;
  return Math.min(i, value.length);
}

function unquote(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\(.)/gs, '$1') : text;
}

function endOfComment(value: string, start: number): number {
  let depth = 0;
  let i = start;
  for (; i < value.length; i++) {
    const c = value[i];
    if (c === '\\') i++;
    else if (c === '(' && ++depth > MIME_LIMITS.commentDepth) return value.length;
    else if (c === ')' && --depth === 0) return i;
  }
  return value.length;
}

function endOfLiteral(value: string, start: number): number {
  const end = value.indexOf(']', start);
  return end < 0 ? value.length : end;
}
