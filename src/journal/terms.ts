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

export interface LoggedRecipient {
  readonly address: string;
  readonly original?: string;
  readonly disposition: string;
  readonly reason?: string;
}

export function messageTerms(row: Termed): Set<string> {
  const terms = new Set<string>();
  addAddress(terms, 'f', 'g', row.sender);
  if (row.client !== null) terms.add(term('c', row.client));
  terms.add(term('i', row.direction));
  if (row.message_id !== null) terms.add(messageIdTerm(row.message_id));
  if (row.subject !== null) for (const word of subjectWords(row.subject)) terms.add(`w:${word}`);
  for (const recipient of JSON.parse(row.recipients) as LoggedRecipient[]) {
    if (terms.size >= MESSAGE_TERMS) break;
    terms.add(term('d', recipient.disposition));
    addAddress(terms, 't', 'u', recipient.address);
    if (recipient.original !== undefined) addAddress(terms, 't', 'u', recipient.original);
  }
  return terms;
}

function addAddress(terms: Set<string>, whole: string, domain: string, address: string): void {
  terms.add(term(whole, address === '' ? '<>' : address));
  const at = address.lastIndexOf('@');
  if (at >= 0) terms.add(term(domain, address.slice(at + 1)));
}

/** Spaces part terms in the index, and control characters too, so inside a term they become a no-break space. */
export function term(kind: string, value: string): string {
  const folded = (value.length > TERM_LENGTH ? value.slice(0, TERM_LENGTH) : value).toLowerCase();
  return `${kind}:${PARTING.test(folded) ? folded.replace(ALL_PARTING, '\u00a0') : folded}`;
}

const PARTING = /[\x00-\x20\x7f]/;
const ALL_PARTING = /[\x00-\x20\x7f]/g;

/** With or without its angle brackets. */
export function messageIdTerm(header: string): string {
  return term('m', header.trim().replace(/^<|>$/g, ''));
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
  const words = ASCII.test(cut)
    ? cut.toLowerCase().match(ASCII_WORD)
    : cut.normalize('NFKD').replace(MARKS, '').toLowerCase().match(WORD);
  return (words ?? []).slice(0, SUBJECT_WORDS).map((word) => word.slice(0, TERM_LENGTH));
}
