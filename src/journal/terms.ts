/**
 * The terms a message is found by, and those a filter asks for: the same functions make both.
 *
 * A term is a letter for what it is, a colon and the value in lower case: `f:alice@example.com`
 * (from), `g:example.com` (its domain), `t:` and `u:` (to), `m:` Message-ID, `c:` client address,
 * `d:` disposition, `i:` direction, `w:` a word of the subject.
 */
import { MESSAGE_TERMS, SUBJECT_WORDS, TERM_LENGTH } from './limits.ts';

export interface Termed {
  readonly sender: string;
  readonly client: string | null;
  readonly direction: string;
  readonly subject: string | null;
  readonly message_id: string | null;
  /** JSON of MessageRecord.recipients. */
  readonly recipients: string;
}

/** Of the table `messages`. */
export const TERMED_COLUMNS = 'n, sender, client, direction, subject, message_id, recipients';

export interface LoggedRecipient {
  readonly address: string;
  readonly original?: string;
  readonly disposition: string;
  readonly reason?: string;
}

/** All terms of a message, a space after each. Runs for every message, so it looks for odd values once, not by value. */
export function messageTerms(row: Termed): string {
  const { sender, client, direction, subject, message_id: messageId } = row;
  const clean = isPlain(row) ? plain : cleaned;
  let terms = `i:${direction} ${addressTerms('f', 'g', clean(sender))}`;
  if (client !== null) terms += `c:${clean(client)} `;
  if (messageId !== null) terms += `m:${clean(withoutBrackets(messageId))} `;
  let left = MESSAGE_TERMS;
  for (const recipient of JSON.parse(row.recipients) as LoggedRecipient[]) {
    if (left-- === 0) break;
    terms += `d:${clean(recipient.disposition)} ${addressTerms('t', 'u', clean(recipient.address))}`;
    if (recipient.original !== undefined) terms += addressTerms('t', 'u', clean(recipient.original));
  }
  terms = terms.toLowerCase();
  if (subject !== null) for (const word of subjectWords(subject)) terms += `w:${word} `;
  return terms;
}

function addressTerms(whole: string, domain: string, address: string): string {
  if (address === '') return `${whole}:<> `;
  const at = address.lastIndexOf('@');
  return at < 0 ? `${whole}:${address} ` : `${whole}:${address} ${domain}:${address.slice(at + 1)} `;
}

const PARTING = /[\x00-\x20\x7f]/;
const ALL_PARTING = /[\x00-\x20\x7f]/g;

/** Nothing in it parts terms or is too long for one. Recipients are JSON: an escape there may be harmless, and costs only time. */
function isPlain({ sender, client, message_id: messageId, recipients }: Termed): boolean {
  if (sender.length > TERM_LENGTH || (messageId !== null && messageId.length > TERM_LENGTH)) return false;
  return !PARTING.test(`${sender}${client ?? ''}${messageId ?? ''}${recipients}`) && !recipients.includes('\\');
}

function plain(value: string): string {
  return value;
}

/** Spaces part terms in the index, and control characters too, so inside a term they become a no-break space. */
function cleaned(value: string): string {
  return value.slice(0, TERM_LENGTH).replace(ALL_PARTING, '\u00a0');
}

function withoutBrackets(header: string): string {
  const trimmed = header.trim();
  return trimmed.startsWith('<') && trimmed.endsWith('>') ? trimmed.slice(1, -1) : trimmed;
}

/** What `messageTerms` makes of one value. */
export function term(kind: string, value: string): string {
  return `${kind}:${cleaned(value)}`.toLowerCase();
}

export function messageIdTerm(header: string): string {
  return term('m', withoutBrackets(header));
}

const ASCII = /^[\x00-\x7f]*$/;
const ASCII_WORD = /[a-z0-9]+/g;
const WORD = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|[[\p{L}\p{N}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]]+/gv;
const MARKS = /\p{M}+/gu;

/** Cut before folding: a subject is bounded by the header's limit, not by ours. */
const SUBJECT_LENGTH = 2_000;

/** Runs of letters and digits without accents; scripts without spaces by character. */
export function subjectWords(subject: string): readonly string[] {
  const cut = subject.slice(0, SUBJECT_LENGTH);
  const words =
    (ASCII.test(cut)
      ? cut.toLowerCase().match(ASCII_WORD)
      : cut.normalize('NFKD').replace(MARKS, '').toLowerCase().match(WORD)) ?? [];
  if (words.length <= SUBJECT_WORDS && cut.length <= TERM_LENGTH) return words;
  return words.slice(0, SUBJECT_WORDS).map((word) => word.slice(0, TERM_LENGTH));
}
