/**
 * The facts of every message's header that receiving, checks and the log need, read in one pass without copying it.
 *
 * Only the few fields asked for become strings. Never throws; `problem` reports an unclear header, and odd but clear
 * constructs are counted.
 */
import { readAuthor } from './author.ts';
import { disguisedFields } from './disguised-fields.ts';
import { decodeUnstructured } from './encoded-words.ts';
import { MIME_LIMITS } from './limits.ts';
import { fieldValue, readable } from './text.ts';
import type { FieldSpan, HeaderFacts, OriginFields } from './types.ts';
import { type HeaderWalk, headerEnd, nextField, walkHeader } from './walk-header.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The facts gathered so far; empty lists share one object. */
interface Notes {
  receivedCount: number;
  /** Values of From fields. */
  from: readonly string[];
  hasLongOrigin: boolean;
  subject: string | undefined;
  messageId: string | undefined;
  readonly origin: Writable<OriginFields> & { readonly counts: Writable<OriginFields['counts']> };
}

/** A field that is gathered, by its name in lower case. */
interface Noted {
  readonly name: string;
  note(notes: Notes, bytes: Uint8Array, field: HeaderWalk): void;
}

/** `complete: false`: more of the message follows `bytes`; then a header without an end is a problem. */
export function inspectHeader(bytes: Uint8Array, complete = true): HeaderFacts {
  const notes: Notes = {
    receivedCount: 0,
    from: NONE,
    hasLongOrigin: false,
    subject: undefined,
    messageId: undefined,
    origin: {
      signatures: 0,
      arc: 0,
      authenticationResults: NONE,
      receivedSpf: NONE,
      listId: undefined,
      bimiSelector: undefined,
      counts: { from: 0, to: 0, subject: 0, date: 0 },
    },
  };
  const walk = walkHeader(0, bytes.length);
  while (nextField(bytes, walk)) notedAs(bytes, walk)?.note(notes, bytes, walk);
  const { line, fieldCount, malformedLines, problem, hasEmptyLine } = walk;
  const { receivedCount, hasLongOrigin, subject, messageId, origin } = notes;
  const from =
    malformedLines > 0 && notes.from.length > 0 ? withDisguised(notes.from, bytes, headerEnd(walk)) : notes.from;
  return {
    endOffset: headerEnd(walk),
    problem: problem ?? (hasEmptyLine || complete ? undefined : 'no-end'),
    fieldCount,
    malformedLines,
    receivedCount,
    author: readAuthor(from),
    hasLongOrigin,
    subject,
    messageId,
    has8bit: line.mask > 127,
    isBinary: line.isBinary,
    longestLine: line.longestLine,
    origin,
  };
}

const NONE: readonly never[] = [];
const FROM: ReadonlySet<string> = new Set(['from']);

/** A disguised field counts only beside a real From field: alone it is none, and the message has no author. */
function withDisguised(from: readonly string[], bytes: Uint8Array, end: number): readonly string[] {
  return [...from, ...disguisedFields(bytes, end, FROM).map(({ value }) => value)];
}

/** By the length of the name: most fields are distinguished by it alone. */
const NOTED: readonly (readonly Noted[] | undefined)[] = byLength([
  noted('to', ({ origin }) => origin.counts.to++),
  noted('date', ({ origin }) => origin.counts.date++),
  noted('from', (notes, bytes, field) => {
    notes.origin.counts.from++;
    notes.from = withOne(notes.from, fieldValue(bytes, field));
    notes.hasLongOrigin ||= isLong(field);
  }),
  noted('sender', (notes, _, field) => {
    notes.hasLongOrigin ||= isLong(field);
  }),
  noted('subject', (notes, bytes, field) => {
    notes.origin.counts.subject++;
    notes.subject ??= decodeUnstructured(fieldValue(bytes, field), MIME_LIMITS.subjectCharacters);
  }),
  noted('list-id', ({ origin }, _, field) => {
    origin.listId ??= spanOf(field);
  }),
  noted('received', (notes) => notes.receivedCount++),
  noted('arc-seal', ({ origin }) => origin.arc++),
  noted('reply-to', (notes, _, field) => {
    notes.hasLongOrigin ||= isLong(field);
  }),
  noted('message-id', (notes, bytes, field) => {
    notes.messageId ??= readable(fieldValue(bytes, field)).slice(0, MIME_LIMITS.subjectCharacters);
  }),
  noted('received-spf', ({ origin }, _, field) => {
    origin.receivedSpf = withOne(origin.receivedSpf, spanOf(field));
  }),
  noted('bimi-selector', ({ origin }, _, field) => {
    origin.bimiSelector ??= spanOf(field);
  }),
  noted('dkim-signature', ({ origin }) => origin.signatures++),
  noted('arc-message-signature', ({ origin }) => origin.arc++),
  noted('authentication-results', ({ origin }, _, field) => {
    origin.authenticationResults = withOne(origin.authenticationResults, spanOf(field));
  }),
  noted('arc-authentication-results', ({ origin }) => origin.arc++),
]);

function noted(name: string, note: Noted['note']): Noted {
  return { name, note };
}

function byLength(fields: readonly Noted[]): readonly (readonly Noted[] | undefined)[] {
  const table: Noted[][] = [];
  for (const field of fields) table[field.name.length] = [...(table[field.name.length] ?? []), field];
  return table;
}

function notedAs(bytes: Uint8Array, { start, nameEnd }: HeaderWalk): Noted | undefined {
  const fields = NOTED[nameEnd - start];
  if (!fields) return undefined;
  for (const field of fields) if (isNamed(bytes, start, field.name)) return field;
  return undefined;
}

/** Setting bit 5 turns a letter into lower case and leaves a hyphen unchanged. */
function isNamed(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[start + i]! | 32) !== name.charCodeAt(i)) return false;
  return true;
}

/** The empty list is shared, any other belongs to this header. */
function withOne<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

function spanOf({ valueStart, end }: HeaderWalk): FieldSpan {
  return { valueStart, end };
}

function isLong({ valueStart, end }: HeaderWalk): boolean {
  return end - valueStart > MIME_LIMITS.addressFieldCharacters;
}
