/**
 * What the ledger is told of messages on the express way, and reads again after a crash.
 *
 * One octet says what kind of note it is; then come its values, and for a message its octets behind
 * them, so that they are copied nowhere.
 */
import type { RecipientRow as LoggedRecipient } from '../../journal/contract.ts';
import type { StagedContent } from '../../store/contract.ts';
import { decodeValues, encodeValues, type Value } from '../../store/ledger/values.ts';
import { MESSAGE_COLUMNS, type MessageRow, RECIPIENT_COLUMNS, type RecipientRow } from '../tables.ts';

export type Note =
  /** Accepted: as its rows would be. */
  | {
      readonly kind: 'accepted';
      readonly message: MessageRow;
      readonly recipients: readonly RecipientRow[];
      readonly content: StagedContent['home'];
    }
  /** Delivered to all its recipients; the journal's rows of it. */
  | { readonly kind: 'ended'; readonly key: number; readonly rows: readonly LoggedRecipient[] }
  /** Nobody needs the notes of these any more: they are in the database, or over and in the journal. */
  | { readonly kind: 'over'; readonly keys: readonly number[] };

const KINDS: readonly Note['kind'][] = ['accepted', 'ended', 'over'];

/** Kind, and how many octets the values take. */
const HEAD_BYTES = 5;

/** Fields of the journal's row of a recipient. */
const LOGGED_FIELDS = 6;

export function encodeNote(note: Note): readonly Uint8Array[] {
  switch (note.kind) {
    case 'accepted':
      return acceptedPieces(note);
    case 'ended':
      return pieces(1, [note.key, ...note.rows.flat()]);
    case 'over':
      return pieces(2, note.keys);
  }
}

function acceptedPieces({ message, recipients, content }: Note & { kind: 'accepted' }): readonly Uint8Array[] {
  const values: Value[] = [content.kind === 'blob' ? content.key : null];
  for (const column of MESSAGE_COLUMNS) values.push(message[column]);
  for (const recipient of recipients) for (const column of RECIPIENT_COLUMNS) values.push(recipient[column]);
  const noted = pieces(0, values);
  if (content.kind === 'row') noted.push(...content.pieces);
  return noted;
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
  const kind = KINDS[record[0]!];
  const behind = HEAD_BYTES + record.readUInt32LE(1);
  const values = decodeValues(record.subarray(HEAD_BYTES, behind));
  switch (kind) {
    case 'accepted':
      return accepted(values, record.subarray(behind));
    case 'ended':
      return { kind, key: values[0] as number, rows: loggedRows(values) };
    case 'over':
      return { kind, keys: values as number[] };
    default:
      throw new Error(`a note of the ledger has kind ${record[0]}`);
  }
}

function accepted(values: readonly Value[], bytes: Uint8Array): Note {
  const blob = values[0] as string | null;
  let at = 1;
  const row = <T>(columns: readonly string[]): T =>
    Object.fromEntries(columns.map((column) => [column, values[at++]])) as T;
  const message = row<MessageRow>(MESSAGE_COLUMNS);
  const recipients: RecipientRow[] = [];
  while (at < values.length) recipients.push(row<RecipientRow>(RECIPIENT_COLUMNS));
  const content: StagedContent['home'] = blob === null ? { kind: 'row', pieces: [bytes] } : { kind: 'blob', key: blob };
  return { kind: 'accepted', message, recipients, content };
}

function loggedRows(values: readonly Value[]): LoggedRecipient[] {
  const rows: LoggedRecipient[] = [];
  for (let at = 1; at < values.length; at += LOGGED_FIELDS)
    rows.push(values.slice(at, at + LOGGED_FIELDS) as unknown as LoggedRecipient);
  return rows;
}
