/**
 * What the ledger is told of messages on the inline way, and reads again after a crash.
 *
 * One byte says what kind of note it is; then come its values, and for a message its bytes behind
 * them, so that they are copied nowhere; before them those of its variant's splices. Rows are values in the
 * order of their columns; how many columns there were is said too, since the version that reads may know more.
 * A version before variants wrote the edits into each recipient's row.
 */
import type { RecipientRow as LoggedRecipient } from '../../journal/contract.ts';
import { invariant } from '../../model/errors.ts';
import type { StagedContent } from '../../store/contract.ts';
import { decodeValues, encodeValues, type Value } from '../../store/ledger/values.ts';
import {
  MESSAGE_COLUMNS,
  type MessageRow,
  NOTED_SPLICE_COLUMNS,
  RECIPIENT_COLUMNS,
  type RecipientRow,
  type SpliceRow,
} from '../rows/tables.ts';
import type { VariantRows } from '../rows/variants.ts';

/** A message as its rows would be. */
export interface Accepted {
  readonly message: MessageRow;
  readonly recipients: readonly RecipientRow[];
  /** That of all recipients; absent: they get what was received. */
  readonly variant?: VariantRows | undefined;
  readonly content: StagedContent['home'];
}

export type Note =
  | ({ readonly kind: 'accepted' } & Accepted)
  /** Delivered to all its recipients; the journal's rows of it. */
  | { readonly kind: 'ended'; readonly key: number; readonly rows: readonly LoggedRecipient[] }
  /** Nobody needs the notes of these any more: they are in the database, or over and in the journal. */
  | { readonly kind: 'over'; readonly keys: readonly number[] };

/** Of a message with a variant the number differs. */
const VARIED = 3;
const KINDS: readonly Note['kind'][] = ['accepted', 'ended', 'over', 'accepted'];

/** Kind, and how many bytes the values take. */
const HEAD_BYTES = 5;

/** Fields of the journal's row of a recipient. */
const LOGGED_FIELDS = 6;

export function encodeNote(note: Note): readonly Uint8Array[] {
  switch (note.kind) {
    case 'accepted':
      return encodeAccepted(note);
    case 'ended':
      return encodeEnded(note.key, note.rows);
    case 'over':
      return pieces(2, note.keys);
  }
}

/** Of a message that was accepted, with what it is. */
export function isAccepted(record: Buffer): boolean {
  return KINDS[record[0] ?? KINDS.length] === 'accepted';
}

export function encodeAccepted({ message, recipients, variant, content }: Accepted): readonly Uint8Array[] {
  const blob = content.kind === 'blob' ? content.key : null;
  const values: Value[] = [blob, MESSAGE_COLUMNS.length, RECIPIENT_COLUMNS.length];
  if (variant) noteVariant(values, variant);
  for (const column of MESSAGE_COLUMNS) values.push(message[column]);
  for (const recipient of recipients) for (const column of RECIPIENT_COLUMNS) values.push(recipient[column]);
  const noted = pieces(variant ? VARIED : 0, values);
  for (const { bytes } of variant?.splices ?? []) if (bytes) noted.push(bytes);
  if (content.kind === 'row') noted.push(...content.pieces);
  return noted;
}

function noteVariant(values: Value[], { variant, splices }: VariantRows): void {
  values.push(variant.v, variant.edits, splices.length, NOTED_SPLICE_COLUMNS.length);
  for (const splice of splices) for (const column of NOTED_SPLICE_COLUMNS) values.push(splice[column]);
}

export function encodeEnded(key: number, rows: readonly LoggedRecipient[]): readonly Uint8Array[] {
  const values: Value[] = [key];
  for (const row of rows) for (const value of row) values.push(value);
  return pieces(1, values);
}

function pieces(kind: number, values: readonly Value[]): Uint8Array[] {
  const body = encodeValues(values);
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head[0] = kind;
  head.writeUInt32LE(body.length, 1);
  return [head, body];
}

/** Throws on what encodeNote never made: the ledger hands on only records that are as they were written. */
export function decodeNote(record: Buffer): Note {
  const kind = KINDS[record[0] ?? KINDS.length];
  const behind = record.length < HEAD_BYTES ? 0 : HEAD_BYTES + record.readUInt32LE(1);
  invariant(kind && behind > 0 && behind <= record.length, `a note of the ledger has a kind and values: ${record[0]}`);
  const values = decodeValues(record.subarray(HEAD_BYTES, behind));
  switch (kind) {
    case 'accepted':
      return record[0] === VARIED ? varied(values, record.subarray(behind)) : accepted(values, record.subarray(behind));
    case 'ended':
      return { kind, key: values[0] as number, rows: loggedRows(values) };
    case 'over':
      return { kind, keys: values as number[] };
  }
}

type AcceptedNote = Note & { readonly kind: 'accepted' };

function varied(values: readonly Value[], bytes: Uint8Array): AcceptedNote {
  const [blob, messageWidth, recipientWidth, v, edits, count, width, ...cells] = values as [
    ...[string | null, number, number],
    ...[v: number, edits: string | null, count: number, width: number],
    ...Value[],
  ];
  invariant(
    count >= 0 && (width > 0 || count === 0) && cells.length > count * width,
    'a note of a variant has its splices and a message',
  );
  const rest = cells.slice(count * width);
  const rows = Array.from({ length: count }, (_, n) => rowAt<SpliceRow>(cells, n * width, NOTED_SPLICE_COLUMNS, width));
  const splices: SpliceRow[] = [];
  let at = 0;
  for (const row of rows) {
    const end = row.blob === null ? at + row.size_bytes : at;
    splices.push({ ...row, v, n: splices.length, bytes: row.blob === null ? bytes.subarray(at, end) : null });
    at = end;
  }
  const note = accepted([blob, messageWidth, recipientWidth, ...rest], bytes.subarray(at));
  const { key } = note.message;
  return {
    ...note,
    variant: { variant: { message: key, v, edits }, splices: splices.map((row) => ({ ...row, message: key })) },
  };
}

function accepted(values: readonly Value[], bytes: Uint8Array): AcceptedNote {
  const [blob, messageWidth, recipientWidth, ...cells] = values as [string | null, number, number, ...Value[]];
  invariant(
    messageWidth > 0 && recipientWidth > 0 && cells.length > messageWidth,
    'a note of a message has its row and those of its recipients',
  );
  const message = rowAt<MessageRow>(cells, 0, MESSAGE_COLUMNS, messageWidth);
  const recipients: RecipientRow[] = [];
  for (let at = messageWidth; at < cells.length; at += recipientWidth)
    recipients.push(rowAt<RecipientRow>(cells, at, RECIPIENT_COLUMNS, recipientWidth));
  const content: StagedContent['home'] = blob === null ? { kind: 'row', pieces: [bytes] } : { kind: 'blob', key: blob };
  return withVariant({ kind: 'accepted', message, recipients, content });
}

/** Of a version before variants: all recipients of an inline entry have the same edits. */
function withVariant(note: AcceptedNote): AcceptedNote {
  const [first] = note.recipients;
  if (!first || first.edits === null) return note;
  const variant = { message: note.message.key, v: first.n, edits: first.edits };
  const recipients = note.recipients.map((row) => ({ ...row, edits: null, variant: variant.v }));
  return { ...note, recipients, variant: { variant, splices: [] } };
}

function loggedRows(values: readonly Value[]): LoggedRecipient[] {
  const rows: LoggedRecipient[] = [];
  for (let at = 1; at < values.length; at += LOGGED_FIELDS)
    rows.push(values.slice(at, at + LOGGED_FIELDS) as unknown as LoggedRecipient);
  return rows;
}

/** `width`: the columns that were written, the first of those known here. */
function rowAt<T>(cells: readonly Value[], at: number, columns: readonly string[], width: number): T {
  return Object.fromEntries(columns.map((column, i) => [column, i < width ? cells[at + i] : null])) as T;
}
