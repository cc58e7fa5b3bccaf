/**
 * Address lists of header fields (RFC 5322 3.4, with the obsolete forms of 4.4).
 *
 * Reads what it can and reports the rest as `isMalformed`: then another reader may see other addresses, and author.ts
 * looks for them. Words without an `@` are a name, not a mailbox. Linear in the length of the value, of which no more
 * than the bounds of limits.ts is read; never throws. Comments are kept apart, quotes are removed, encoded words stay
 * as written, domains are A-labels.
 */
import { isAsciiText, parseAddressLiteral } from '../smtp/domain.ts';
import { type AuthorDomain, readAuthorDomain } from './author-domain.ts';
import { MIME_LIMITS } from './limits.ts';
import { readable } from './text.ts';
import type { AddressList, Mailbox } from './types.ts';

/** One element of the list while it is read. */
interface Element {
  /** Words so far, without quotes and comments, runs of white space as one space. */
  words: string;
  /** The position in `words` of the last `@` outside quotes, else -1. */
  at: number;
  atCount: number;
  pendingSpace: boolean;
  /**
   * It begins with an `@`, as the obsolete source route does. Stored, since checking `words` at each comma would
   * flatten it each time.
   */
  isRoute: boolean;
  /** The last word ends in a dot or an `@`, outside quotes: the next word belongs to it. */
  isOpen: boolean;
  /** Two words are adjacent, with or without a space, outside quotes. */
  hasGap: boolean;
  /** The last word was in quotes. */
  isBehindQuotes: boolean;
  /** Quotes were removed before an `@` or after one. */
  hasQuotedLocal: boolean;
  hasQuotedDomain: boolean;
  /** Some readers show comments as the name, as old mail has it there. */
  comments: string;
  /** The content of the angle brackets, once read. */
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
    isBehindQuotes: false,
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
  // RFC 5322 4.4: white space and comments around the dots and the `@` of an address do not separate words.
  const isApart = element.pendingSpace || element.isBehindQuotes;
  if (isApart && element.words !== '' && !element.isOpen && !/^[.@]/.test(text)) element.hasGap = true;
  element.isBehindQuotes = false;
  if (element.words === '') element.isRoute = text.startsWith('@');
  append(element, text);
  element.isOpen = /[.@]$/.test(text);
}

function appendQuoted(element: Element, text: string): void {
  if (element.words !== '' && !element.isOpen) element.hasGap = true;
  append(element, text);
  element.isOpen = false;
  element.isBehindQuotes = true;
  if (element.at < 0) element.hasQuotedLocal = true;
  else element.hasQuotedDomain = true;
}

/** Characters that end a run of ordinary ones: the syntax of the list, and white space. */
const ENDS_RUN = new Uint8Array(128);
for (const character of ' \t\r\n"(<>:,;[') ENDS_RUN[character.charCodeAt(0)] = 1;

/** The end of the run of ordinary characters from `start` on, `@` included; at least one character is read. */
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

/** For a field in a message: `value` is a binary string without line breaks. */
export function readAddressField(value: string): AddressList {
  const text = readable(value);
  return parseAddressList(text, text === value);
}

/** The state of reading a list. */
interface Reading {
  readonly mailboxes: Mailbox[];
  readonly groups: string[];
  isMalformed: boolean;
  isCut: boolean;
  /** Elements without an address since the last mailbox: a name with commas that are not in quotes. */
  words: string;
  /** Where in `mailboxes` the members of the open group begin, else -1. */
  groupStart: number;
  /** A group has ended, and only a comma may follow it. */
  isBehindGroup: boolean;
  outer: Element;
  /** The content of the open angle brackets. */
  inner: Element | undefined;
  /** The field is a binary string. */
  readonly bytes: boolean;
}

/** `bytes`: the field is a binary string, because it is ASCII or not valid UTF-8. */
export function parseAddressList(field: string, bytes = false): AddressList {
  const value = field.slice(0, MIME_LIMITS.addressFieldCharacters);
  const isCut = value.length < field.length;
  const reading: Reading = {
    mailboxes: [],
    groups: [],
    isMalformed: isCut || CONTROL.test(value),
    isCut,
    words: '',
    groupStart: -1,
    isBehindGroup: false,
    outer: emptyElement(),
    inner: undefined,
    bytes,
  };
  for (
    let i = 0;
    i < value.length && reading.mailboxes.length < MIME_LIMITS.mailboxes;
    i = readToken(reading, value, i)
  );
  finish(reading);
  if (reading.mailboxes.length === MIME_LIMITS.mailboxes) reading.isCut = reading.isMalformed = true;
  if (reading.groupStart >= 0) unopenGroup(reading);
  const { mailboxes, groups, words, isMalformed } = reading;
  return { mailboxes, groups, words, isMalformed, isCut: reading.isCut };
}

/** Reads the token at `i`; returns the index after it. */
function readToken(reading: Reading, value: string, i: number): number {
  const { outer, inner } = reading;
  const element = inner ?? outer;
  const c = value[i]!;
  if (c === ' ' || c === '\t' || c === '\r' || c === '\n') {
    element.pendingSpace = true;
    return i + 1;
  }
  if (c === '(') return readComment(reading, value, i);
  if (c === ',') {
    if (inner?.isRoute) appendWord(inner, ',');
    else finish(reading);
    return i + 1;
  }
  // RFC 5322 3.4: only a comma may follow the closing bracket or the end of a group.
  if (reading.isBehindGroup || (outer.angle && !inner && c !== ';')) reading.isMalformed = true;
  reading.isBehindGroup = false;
  switch (c) {
    case '"': {
      const end = endOfQuoted(value, i);
      if (end === value.length) reading.isMalformed = true;
      appendQuoted(element, unquote(value.slice(i + 1, end)));
      return end + 1;
    }
    case '<':
      openAngle(reading);
      return i + 1;
    case '>':
      if (inner) outer.angle = inner;
      else stray(reading);
      reading.inner = undefined;
      return i + 1;
    case ':':
      readColon(reading);
      return i + 1;
    case ';':
      readSemicolon(reading);
      return i + 1;
    case '[': {
      const end = endOfLiteral(value, i);
      // RFC 5322 3.4.1: a literal is a whole domain, and is allowed nowhere else.
      if (end === value.length || element.at < 0 || element.at !== element.words.length - 1) reading.isMalformed = true;
      appendWord(element, value.slice(i, end + 1));
      return end + 1;
    }
    default:
      return readRun(reading, element, value, i);
  }
}

function readComment(reading: Reading, value: string, start: number): number {
  const { outer, inner } = reading;
  const end = endOfComment(value, start);
  if (end === value.length) reading.isMalformed = true;
  const comment = unquote(value.slice(start + 1, end)).trim();
  outer.comments = outer.comments === '' ? comment : `${outer.comments} ${comment}`;
  (inner ?? outer).pendingSpace = true;
  return end + 1;
}

function readRun(reading: Reading, element: Element, value: string, start: number): number {
  const wordEnd = value[start] === '=' ? endOfEncodedWord(value, start) : start;
  if (wordEnd > start) {
    const word = value.slice(start, wordEnd);
    if (DIVIDES_READERS.test(word)) reading.isMalformed = true;
    appendWord(element, word);
    return wordEnd;
  }
  const end = endOfRun(value, start);
  const run = value.slice(start, end);
  if (NO_ATOM.test(run)) reading.isMalformed = true;
  appendRun(element, run);
  return end;
}

/** A character where the grammar forbids it: it separates words, as white space does. */
function stray(reading: Reading): void {
  reading.isMalformed = true;
  (reading.inner ?? reading.outer).pendingSpace = true;
}

function openAngle(reading: Reading): void {
  if (reading.inner) {
    stray(reading);
    return;
  }
  // Some readers take the first address, some the last.
  if (reading.outer.angle) finish(reading);
  reading.inner = emptyElement();
}

function readColon(reading: Reading): void {
  const { inner, outer } = reading;
  if (inner) {
    // RFC 5322 4.4, obs-route: `<@a,@b:local@domain>`; only the last part names the mailbox.
    if (!ROUTE.test(inner.words)) reading.isMalformed = true;
    reading.inner = emptyElement();
  } else if (reading.groupStart < 0 && !outer.angle && outer.at < 0 && outer.words !== '') {
    reading.groups.push(joinNames(reading.words, outer.words));
    if (reading.words !== '') reading.isMalformed = true;
    reading.words = '';
    reading.groupStart = reading.mailboxes.length;
    reading.outer = emptyElement();
  } else stray(reading);
}

/** Outside a group it separates mailboxes for some programs, and here. */
function readSemicolon(reading: Reading): void {
  if (reading.inner) {
    stray(reading);
    return;
  }
  const inGroup = reading.groupStart >= 0;
  if (!inGroup) reading.isMalformed = true;
  finish(reading);
  reading.groupStart = -1;
  reading.isBehindGroup = inGroup;
}

/** A colon after words without the end of a group: `Scanner: 2nd floor <scanner@example.com>` is an odd name. */
function unopenGroup(reading: Reading): void {
  const { mailboxes, groups, groupStart } = reading;
  reading.isMalformed = true;
  const name = `${groups.pop()!}:`;
  const first = mailboxes[groupStart];
  if (first) mailboxes[groupStart] = { ...first, displayName: `${name} ${first.displayName ?? ''}`.trimEnd() };
  else reading.words = `${name} ${reading.words}`.trimEnd();
}

function finish(reading: Reading): void {
  const { outer, inner, bytes } = reading;
  if (inner) reading.isMalformed = true;
  const made = toMailbox(outer, inner, bytes);
  if (made.isMalformed) reading.isMalformed = true;
  if (made.mailbox) {
    const displayName = joinNames(reading.words, made.mailbox.displayName ?? '');
    reading.mailboxes.push(displayName === '' ? made.mailbox : { ...made.mailbox, displayName });
    reading.words = '';
  } else reading.words = joinNames(reading.words, outer.words);
  reading.outer = emptyElement();
  reading.inner = undefined;
}

function joinNames(words: string, name: string): string {
  return words === '' ? name : name === '' ? words : `${words}, ${name}`;
}

function toMailbox(
  outer: Element,
  unclosed: Element | undefined,
  bytes: boolean,
): { mailbox?: Mailbox; isMalformed: boolean } {
  const angle = outer.angle ?? unclosed;
  const address = angle ?? outer;
  // Empty elements between commas are an obsolete form (RFC 5322 4.4); words without `@` are no mailbox.
  if (address.at < 0) return { isMalformed: outer.words !== '' || angle !== undefined };
  const { words, at, atCount, hasQuotedLocal, hasQuotedDomain } = address;
  const beforeAt = words.slice(0, at).trimEnd();
  // `Alice alice@example.com`, as some devices write it: the last word is the local part.
  const space = angle || hasQuotedLocal || !address.hasGap ? -1 : beforeAt.lastIndexOf(' ');
  const local = beforeAt.slice(space + 1);
  const written = joinDots(words.slice(at + 1)).trim();
  const read = atCount > 1 || hasQuotedDomain ? undefined : readDomain(written, bytes);
  // Words before a bare address, as in `Alice alice@example.com`: readers disagree about them.
  const hasStrayWords = address.hasGap || (angle !== undefined && outer.at >= 0);
  const mailbox = {
    displayName: (angle ? outer.words : beforeAt.slice(0, Math.max(space, 0))) || undefined,
    ...(outer.comments !== '' && { comment: outer.comments }),
    local: hasQuotedLocal ? local : joinDots(local),
    domain: read?.domain ?? '',
    ...(written !== '' && (!read || read.isDisguised) && { writtenDomain: written }),
  };
  return { mailbox, isMalformed: local === '' || !read || read.isDisguised || hasStrayWords };
}

function readDomain(written: string, bytes: boolean): AuthorDomain | undefined {
  if (written.startsWith('[')) {
    const literal = parseAddressLiteral(written);
    return literal.ok ? { domain: literal.value, isDisguised: false } : undefined;
  }
  if (!bytes || isAsciiText(written)) return readAuthorDomain(written);
  const text = readable(written);
  return text === written ? undefined : readAuthorDomain(text);
}

/** The obsolete forms of a dotted name, with white space around its dots (RFC 5322 4.4). */
function joinDots(text: string): string {
  return text.includes(' ') ? text.replaceAll(/ ?\. ?/g, '.') : text;
}

const ENCODED_WORD = /=\?[^?\s]+\?[bq]\?[^?\s]*\?=/iy;
/**
 * In an encoded word these are text (RFC 2047 6.1); for a reader that decodes first, or never, they are syntax of the
 * list.
 */
const DIVIDES_READERS = /[<>"(@\\[]/;
/** RFC 5322 4.4, obs-route. */
const ROUTE = /^@[a-z0-9._-]+(?:,(?:@[a-z0-9._-]+)?)*$/i;
/** Not allowed in an atom, though it ends no word here (RFC 5322 3.2.3); `.` and `@` are handled elsewhere. */
const NO_ATOM = /[\x00-\x1f\x7f)\]\\]/;
/** In quotes and comments: RFC 5322 4.1 allows most, but some readers end the text there. */
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** The end of the encoded word that begins at `start`; `start` if there is none. */
function endOfEncodedWord(value: string, start: number): number {
  ENCODED_WORD.lastIndex = start;
  return ENCODED_WORD.test(value) ? ENCODED_WORD.lastIndex : start;
}

/** The index of the closing quote; the value's length if there is none. */
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
    else if (c === '(') depth++;
    else if (c === ')' && --depth === 0) return i;
  }
  return value.length;
}

function endOfLiteral(value: string, start: number): number {
  const end = value.indexOf(']', start);
  return end < 0 ? value.length : end;
}
