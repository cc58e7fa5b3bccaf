/**
 * Variants: what some recipients of a message get in place of what was received, as edits of the header and
 * splices over the content, which stays as it is.
 *
 * Recipients with equal ones share one row. Small splices are in rows; a larger one is a file of its own, which
 * the variant owns: it is deleted with the variant's last recipient. Errors: `content.splices`.
 */
import { hash } from 'node:crypto';
import type { ContentRef, HeaderEdit, Splice } from '../../model/content.ts';
import { isOperational, type OperationalError } from '../../model/errors.ts';
import { memoryContent } from '../../store/blobs/memory-content.ts';
import type { StagedContent, Statement } from '../../store/contract.ts';
import type { NewMessage, NewRecipient, NewSplice } from '../contract.ts';
import { SPLICE_ROW_BYTES, VARIANT_ROW_BYTES } from '../limits.ts';
import { idOf } from '../model/ids.ts';
import { checkSplices, unfit } from '../model/splices.ts';
import type { QueueParts } from '../parts.ts';
import type { VariantKey } from './statements/variants.ts';
import { type QueueStatements, rowsOf } from './statements.ts';
import type { SpliceRow, VariantRow } from './tables.ts';

/** A file that a splice puts in. */
export interface SpliceFile {
  readonly key: string;
  readonly content: ContentRef;
}

/** A variant as rows under a lease have it. */
export interface LeasedVariant {
  readonly v: number;
  /** False: it has none. */
  readonly maySplice: boolean;
  /** Known of what is to be delivered. */
  readonly files: readonly SpliceFile[];
}

/** With all that a delivery needs of it. */
export interface Variant extends LeasedVariant {
  readonly edits: readonly HeaderEdit[];
  readonly splices: readonly Splice[];
  /** In memory for its splices. */
  readonly bytes: number;
}

/** As its rows are. */
export interface VariantRows {
  readonly variant: VariantRow;
  readonly splices: readonly SpliceRow[];
}

/** Of a new message. */
export interface NewVariant extends Variant {
  readonly rows: VariantRows;
}

const NONE: readonly undefined[] = [];
const NO_SPLICES: readonly never[] = [];
const NO_EDITS: readonly HeaderEdit[] = [];

/** By recipient, equal ones the same object; without an entry, or with none: the recipient gets what was received. */
export function variantsOf({ recipients }: NewMessage, message: number): readonly (NewVariant | undefined)[] {
  if (recipients.every(isPlain)) return NONE;
  const byText = new Map<string, NewVariant>();
  const variants: (NewVariant | undefined)[] = [];
  let last: number | undefined;
  for (let n = 0; n < recipients.length; n++) {
    const recipient = recipients[n]!;
    if (isPlain(recipient)) {
      variants.push(undefined);
      continue;
    }
    if (last !== undefined && isSame(recipients[last]!, recipient)) {
      variants.push(variants[last]);
      continue;
    }
    const { edits = NO_EDITS, splices = NO_SPLICES } = recipient;
    const editsText = edits.length > 0 ? JSON.stringify(edits) : null;
    const text = splices.length === 0 ? (editsText ?? '') : `${splices.map(nameOf).join(' ')} ${editsText}`;
    let variant = byText.get(text);
    if (!variant) {
      variant = newVariant({ message, v: n, edits: editsText }, edits, splices);
      byText.set(text, variant);
    }
    variants.push(variant);
    last = n;
  }
  return variants;
}

function isPlain({ edits, splices }: NewRecipient): boolean {
  return !edits?.length && !splices?.length;
}

/** Quick for what usually follows each other: checks make one list for all. */
function isSame(one: NewRecipient, other: NewRecipient): boolean {
  const { edits = NO_EDITS, splices = NO_SPLICES } = other;
  const { edits: ofOne = NO_EDITS } = one;
  if ((one.splices ?? NO_SPLICES) !== splices || ofOne.length !== edits.length) return false;
  return ofOne === edits || edits.every((edit, at) => edit === ofOne[at]);
}

function nameOf({ offset, length, body, with: inserted }: NewSplice): string {
  const sha256 = inserted instanceof Uint8Array ? hash('sha256', inserted, 'hex') : inserted.sha256;
  return `${offset} ${length} ${body} ${sha256}`;
}

function newVariant(variant: VariantRow, edits: readonly HeaderEdit[], splices: readonly NewSplice[]): NewVariant {
  const { message, v } = variant;
  const rows = splices.map((splice, n) => spliceRow(splice, { message, v, n }));
  return {
    ...openedSplices(rows, (_, n) => splices[n]!.with as StagedContent),
    v,
    edits,
    rows: { variant, splices: rows },
  };
}

/** What was staged in memory is copied: its memory may be another message's soon. */
function spliceRow(
  { offset: start, length, body, with: inserted }: NewSplice,
  key: Pick<SpliceRow, 'message' | 'v' | 'n'>,
): SpliceRow {
  if (inserted instanceof Uint8Array)
    return { ...key, start, length, body, size_bytes: inserted.length, sha256: '', blob: null, bytes: inserted };
  const { home, sizeBytes: size_bytes, sha256 } = inserted;
  return home.kind === 'blob'
    ? { ...key, start, length, body, size_bytes, sha256, blob: home.key, bytes: null }
    : { ...key, start, length, body, size_bytes, sha256: '', blob: null, bytes: Buffer.concat(home.pieces) };
}

function openedSplices(
  rows: readonly SpliceRow[],
  openFile: (row: SpliceRow, n: number) => ContentRef,
): Pick<Variant, 'splices' | 'files' | 'bytes' | 'maySplice'> {
  const files: SpliceFile[] = [];
  let bytes = 0;
  const splices = rows.map((row, n): Splice => {
    const { start: offset, length, body } = row;
    if (row.bytes) {
      bytes += row.bytes.length;
      return { offset, length, body, with: memoryContent(row.bytes) };
    }
    const content = openFile(row, n);
    files.push({ key: row.blob ?? '', content });
    return { offset, length, body, with: content };
  });
  return { splices, files, bytes, maySplice: splices.length > 0 };
}

/** Why splices of a message cannot be kept (`content.splices`); undefined: they can. */
export function unfitVariants({ recipients, content }: NewMessage): OperationalError | undefined {
  try {
    for (const { splices } of recipients) if (splices) checkKept(content, splices);
    return undefined;
  } catch (error) {
    if (isOperational(error)) return error;
    throw error;
  }
}

function checkKept({ sizeBytes }: ContentRef, splices: readonly NewSplice[]): void {
  checkSplices(sizeBytes, splices);
  let kept = 0;
  for (const { with: inserted } of splices) {
    if (!(inserted instanceof Uint8Array) && inserted.home.kind === 'blob') continue;
    const bytes = inserted instanceof Uint8Array ? inserted.length : inserted.sizeBytes;
    kept += bytes;
    if (bytes > SPLICE_ROW_BYTES)
      throw unfit(`more than ${SPLICE_ROW_BYTES} bytes must be in a file`, `${bytes} bytes of memory`);
  }
  if (kept > VARIANT_ROW_BYTES)
    throw unfit(`a variant must have at most ${VARIANT_ROW_BYTES} bytes outside of files`, `${kept} bytes of memory`);
}

/** Lets go of what was staged for splices, but for the files that variants own now. */
export function discardSplices({ recipients }: NewMessage, kept: Iterable<NewVariant> = NO_SPLICES): void {
  if (recipients.every(({ splices }) => splices === undefined)) return;
  const staged = new Set<StagedContent>();
  for (const { splices = NO_SPLICES } of recipients) {
    for (const { with: inserted } of splices) if (!(inserted instanceof Uint8Array)) staged.add(inserted);
  }
  const owned = new Set<string>();
  for (const { files } of kept) for (const { key } of files) owned.add(key);
  for (const content of staged) if (content.home.kind === 'row' || !owned.has(content.home.key)) content.discard();
}

/** Its rows, to go with those of its recipients. */
export function variantUnit(sql: QueueStatements, { variant, splices }: VariantRows): readonly Statement[] {
  return [sql.insertVariant(variant), ...splices.map((splice) => sql.insertSplice(splice))];
}

/** A variant that recipients have; undefined, and told, if it has no row: a defect, and nothing goes out without its edits. */
export async function readVariant(
  { database, blobs, events }: QueueParts,
  sql: QueueStatements,
  { message, v }: VariantKey,
): Promise<Variant | undefined> {
  type Joined = Pick<VariantRow, 'edits'> & ({ readonly n: null } | SpliceRow);
  const rows = rowsOf<Joined>(await database.read(sql.variant({ message, v })));
  const splices = rows.filter((row): row is SpliceRow & Joined => row.n !== null);
  if (rows.length === 0) {
    const detail = 'its variant has no row';
    events.emit('queue.content-lost', { message: idOf(message), code: 'content.missing', detail });
    return undefined;
  }
  const text = rows[0]!.edits;
  return {
    ...openedSplices(splices, ({ blob, size_bytes, sha256 }) => blobs.open(blob ?? '', size_bytes, sha256)),
    v,
    edits: text === null ? NO_EDITS : (JSON.parse(text) as HeaderEdit[]),
  };
}
