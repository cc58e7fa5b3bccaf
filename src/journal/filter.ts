/** What a search asks for, as terms and a range of keys. */
import { OperationalError } from '../model/errors.ts';
import { firstKey } from './schema.ts';
import { type LoggedRecipient, messageIdTerm, subjectWords, type Termed, term } from './terms.ts';

export interface LogFilter {
  /** The id told in `250 2.0.0 queued as`, or the one of a refused message. */
  readonly id?: string;
  /** The Message-ID header, with or without angle brackets. */
  readonly messageId?: string;
  /** `alice@example.com`, `example.com` or `@example.com` (a domain), `alice*` (a beginning), `<>` or empty (null reverse-path). */
  readonly sender?: string;
  /** As `sender`; matches the address delivered to and the one the client said. */
  readonly recipient?: string;
  /** Words that all occur; the last character of a word may be `*`. */
  readonly subject?: string;
  readonly client?: string;
  /** Of any recipient: `refuse` or `refused`, and so on. */
  readonly disposition?: string;
  readonly direction?: string;
  /** Only messages that concern one of these domains (`concerns`). */
  readonly domains?: readonly string[];
  /** Milliseconds since the epoch; inclusive. */
  readonly since?: number;
  /** Exclusive. */
  readonly until?: number;
}

export interface Wanted {
  readonly id?: string;
  /** All must match; one that ends in `*` is a beginning. */
  readonly terms: readonly WantedTerm[];
  /** One must match, where there are any; what matches is a superset of what is visible. */
  readonly anyOf: readonly WantedTerm[];
  readonly isVisible: (row: Concerning) => boolean;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface WantedTerm {
  readonly text: string;
  readonly prefix: boolean;
}

/** `cursor`: of the page before. Errors: `log.invalid-cursor`, `log.invalid-filter`. */
export function wanted(filter: LogFilter, cursor?: string): Wanted {
  const terms: WantedTerm[] = [];
  if (filter.sender !== undefined) terms.push(addressTerm('f', 'g', filter.sender));
  if (filter.recipient !== undefined) terms.push(addressTerm('t', 'u', filter.recipient));
  if (filter.messageId !== undefined) terms.push({ text: messageIdTerm(filter.messageId), prefix: false });
  if (filter.client !== undefined) terms.push(withPrefix('c', filter.client));
  if (filter.disposition !== undefined) terms.push(dispositionTerm(filter.disposition));
  if (filter.direction !== undefined) terms.push({ text: term('i', filter.direction), prefix: false });
  if (filter.subject !== undefined) terms.push(...subjectTerms(filter.subject));
  const until = filter.until === undefined ? Number.MAX_SAFE_INTEGER : firstKey(filter.until);
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor);
  const { domains } = filter;
  const anyOf = (domains ?? []).flatMap((domain) =>
    ['g', 'u'].map((kind) => ({ text: term(kind, domain), prefix: false })),
  );
  const isVisible = domains ? (row: Concerning) => concerns(row, domains) : () => true;
  return { id: filter.id, terms, anyOf, isVisible, from: firstKey(filter.since ?? 0), to: Math.min(until, before) };
}

function addressTerm(whole: string, domain: string, said: string): WantedTerm {
  const value = said.trim();
  if (value === '' || value === '<>') return { text: term(whole, '<>'), prefix: false };
  if (value.endsWith('*')) return withPrefix(whole, value);
  const at = value.lastIndexOf('@');
  return { text: at > 0 ? term(whole, value) : term(domain, value.slice(at + 1)), prefix: false };
}

const DISPOSITIONS = ['accept', 'hold', 'redirect', 'discard', 'refuse', 'defer'];
const DONE: Readonly<Record<string, string>> = {
  accepted: 'accept',
  held: 'hold',
  redirected: 'redirect',
  discarded: 'discard',
  refused: 'refuse',
  deferred: 'defer',
};

function dispositionTerm(said: string): WantedTerm {
  const word = said.trim().toLowerCase();
  const disposition = DONE[word] ?? word;
  if (DISPOSITIONS.includes(disposition)) return { text: term('d', disposition), prefix: false };
  throw new OperationalError(
    'log.invalid-filter',
    `cannot search the log, as disposition must be one of ${DISPOSITIONS.join(', ')}: current value is ${JSON.stringify(said.slice(0, 40))}`,
  );
}

function withPrefix(kind: string, value: string): WantedTerm {
  const prefix = value.endsWith('*');
  return { text: term(kind, prefix ? value.slice(0, -1) : value), prefix };
}

function subjectTerms(subject: string): WantedTerm[] {
  const terms: WantedTerm[] = [];
  for (const said of subject.split(/\s+/)) {
    const words = subjectWords(said);
    words.forEach((word, at) => {
      terms.push({ text: `w:${word}`, prefix: said.endsWith('*') && at === words.length - 1 });
    });
  }
  if (terms.length > 0) return terms;
  throw new OperationalError(
    'log.invalid-filter',
    `cannot search the log, as subject must hold a word: current value is ${JSON.stringify(subject.slice(0, 100))}`,
  );
}

export function formatCursor(n: number): string {
  return n.toString(36);
}

/** A key is a time, and no log is older than this program: a word that happens to be base 36 is none. */
const OLDEST_KEY = firstKey(Date.UTC(2020, 0, 1));

function parseCursor(cursor: string): number {
  const n = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (Number.isSafeInteger(n) && n >= OLDEST_KEY) return n;
  throw new OperationalError(
    'log.invalid-cursor',
    `cannot search the log, as cursor must be one that a page before gave: current value is ${JSON.stringify(cursor.slice(0, 40))}`,
  );
}

/** For FTS5: quoted, so that nothing in a term is an operator. */
export function matchExpression({ terms, anyOf }: Pick<Wanted, 'terms' | 'anyOf'>): string {
  const quoted = ({ text, prefix }: WantedTerm): string => `"${text.replaceAll('"', '""')}"${prefix ? '*' : ''}`;
  const all = terms.map(quoted);
  return [...all, ...(anyOf.length > 0 ? [`(${anyOf.map(quoted).join(' OR ')})`] : [])].join(' AND ');
}

/** `has`: what messageTerms makes, each term with a space after it. */
export function matches({ terms, anyOf }: Pick<Wanted, 'terms' | 'anyOf'>, has: string): boolean {
  const isThere = ({ text, prefix }: WantedTerm): boolean => {
    const wantedText = prefix ? text : `${text} `;
    return has.startsWith(wantedText) || has.includes(` ${wantedText}`);
  };
  return terms.every(isThere) && (anyOf.length === 0 || anyOf.some(isThere));
}

/** What of a message says whom it concerns. */
export type Concerning = Pick<Termed, 'direction' | 'sender' | 'recipients'>;

/** Whose settings applied: the sender's domain of outbound mail, else those of its recipients. */
function concerns({ direction, sender, recipients }: Concerning, domains: readonly string[]): boolean {
  return (JSON.parse(recipients) as LoggedRecipient[]).some((recipient) =>
    isRecipientOf({ direction, from: sender }, recipient, domains),
  );
}

export function isRecipientOf(
  { direction, from }: { readonly direction: string; readonly from: string },
  { address, original }: Pick<LoggedRecipient, 'address' | 'original'>,
  domains: readonly string[],
): boolean {
  const whose = direction === 'outbound' ? [from] : [address, original ?? address];
  return whose.some((one) => domains.includes(one.slice(one.lastIndexOf('@') + 1).toLowerCase()));
}
