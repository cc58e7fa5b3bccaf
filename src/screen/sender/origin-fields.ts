/**
 * The fields besides From that show a reader who sent a message: Sender (RFC 5322 3.6.2), and Resent-From and
 * Resent-Sender of the topmost block (3.6.6), which mail programs show of a resent message.
 *
 * Each is read as an author is, so that every address that some reader sees counts. Never throws.
 */
import { readAuthor } from '../../protocol/mime/author.ts';
import { disguisedFields } from '../../protocol/mime/disguised-fields.ts';
import { scanFields } from '../../protocol/mime/fields.ts';
import { fieldValue } from '../../protocol/mime/text.ts';
import type { Author, HeaderField } from '../../protocol/mime/types.ts';

export interface OriginOfSender {
  readonly field: 'Sender' | 'Resent-From' | 'Resent-Sender';
  readonly sender: Author;
}

const RESENT: ReadonlyMap<string, OriginOfSender['field']> = new Map([
  ['resent-from', 'Resent-From'],
  ['resent-sender', 'Resent-Sender'],
]);

const ORIGIN: ReadonlySet<string> = new Set(['sender', ...RESENT.keys()]);

export function originFields(head: Uint8Array): readonly OriginOfSender[] {
  const { fields, malformedLines, end } = scanFields(head);
  const senders = fields.filter(({ name }) => name === 'sender');
  const read = (those: readonly HeaderField[]): Author => readAuthor(those.map((one) => fieldValue(head, one)));
  const found: OriginOfSender[] = senders.length > 0 ? [{ field: 'Sender', sender: read(senders) }] : [];
  for (const one of topmostBlocks(fields)) {
    const field = RESENT.get(one.name);
    if (field) found.push({ field, sender: read([one]) });
  }
  if (malformedLines === 0) return found;
  const disguised = disguisedFields(head, end, ORIGIN);
  for (const name of new Set(disguised.map((one) => one.name))) {
    const values = disguised.filter((one) => one.name === name).map(({ value }) => value);
    found.push({ field: RESENT.get(name) ?? 'Sender', sender: readAuthor(values) });
  }
  return found;
}

/**
 * RFC 5322 3.6.6: each block is put on top of the header. It ends at a trace field, or where one of its fields occurs
 * again; other fields in between may be disorder of the writer, and a reader skips them. A block must name who
 * resent: one that does not is skipped, as mail programs show the first that is named.
 */
function topmostBlocks(fields: readonly HeaderField[]): readonly HeaderField[] {
  let block = new Map<string, HeaderField>();
  const found: HeaderField[] = [];
  for (const field of fields) {
    const { name } = field;
    if (block.size > 0 && (name === 'received' || name === 'return-path' || block.has(name))) {
      if (block.has('resent-from')) break;
      found.push(...block.values());
      block = new Map();
    }
    if (name.startsWith('resent-')) block.set(name, field);
  }
  return [...found, ...block.values()];
}
