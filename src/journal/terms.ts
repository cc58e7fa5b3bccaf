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
  return `${kind}:${value
    .slice(0, TERM_LENGTH)
    .toLowerCase()
    .replace(/[\x00-\x20\x7f]/g, '\u00a0')}`;
}

/** With or without its angle brackets. */
export function messageIdTerm(header: string): string {
  return term('m', header.trim().replace(/^<|>$/g, ''));
}

const WORD = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|[[\p{L}\p{N}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]]+/gv;
const MARKS = /\p{M}+/gu;

/** Runs of letters and digits without accents; scripts without spaces by character. */
export function subjectWords(subject: string): string[] {
  const words: string[] = [];
  // Cut before folding: a subject is bounded by the header's limit, not by ours.
  const folded = subject.slice(0, 2_000).normalize('NFKD').replace(MARKS, '').toLowerCase();
  for (const [word] of folded.matchAll(WORD)) {
    words.push(word.slice(0, TERM_LENGTH));
    if (words.length === SUBJECT_WORDS) break;
  }
  return words;
}
