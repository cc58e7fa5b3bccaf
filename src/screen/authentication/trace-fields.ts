/** What a header has of fields that tell of origin: one walk, and only what is needed becomes strings. */
import { binaryString, fieldValue } from '../../protocol/mime/text.ts';
import { walkHeader } from '../../protocol/mime/walk-header.ts';

export type SignedField = 'from' | 'to' | 'subject' | 'date';

export interface TraceFields {
  readonly signatures: number;
  readonly arc: number;
  /** In order from the top, as binary strings. */
  readonly authenticationResults: readonly string[];
  readonly receivedSpf: readonly string[];
  readonly listId?: string;
  /** How often fields stand there that readers show. */
  readonly counts: Readonly<Record<SignedField, number>>;
  readonly bimiSelector?: string;
}

/** The names by length: most fields are told apart by that alone. */
const NAMES: readonly (readonly string[])[] = byLength([
  'to',
  'from',
  'date',
  'subject',
  'list-id',
  'arc-seal',
  'received-spf',
  'bimi-selector',
  'dkim-signature',
  'arc-message-signature',
  'authentication-results',
  'arc-authentication-results',
]);

export function traceFields(head: Uint8Array): TraceFields {
  let signatures = 0;
  let arc = 0;
  let listId: string | undefined;
  let bimiSelector: string | undefined;
  const authenticationResults: string[] = [];
  const receivedSpf: string[] = [];
  const counts = { from: 0, to: 0, subject: 0, date: 0 };
  walkHeader(head, 0, head.length, {
    field(start, nameEnd, valueStart, end) {
      const name = nameAmong(NAMES[nameEnd - start], head, start, nameEnd);
      switch (name) {
        case undefined:
          return;
        case 'from':
        case 'to':
        case 'subject':
        case 'date':
          counts[name] += 1;
          return;
        case 'dkim-signature':
          signatures += 1;
          return;
        case 'authentication-results':
          authenticationResults.push(fieldValue(head, { valueStart, end }));
          return;
        case 'received-spf':
          receivedSpf.push(fieldValue(head, { valueStart, end }));
          return;
        case 'list-id':
          listId ??= fieldValue(head, { valueStart, end });
          return;
        case 'bimi-selector':
          bimiSelector ??= fieldValue(head, { valueStart, end });
          return;
        default:
          arc += 1;
      }
    },
    malformed() {},
  });
  return {
    signatures,
    arc,
    authenticationResults,
    receivedSpf,
    counts,
    ...(listId !== undefined && { listId }),
    ...(bimiSelector !== undefined && { bimiSelector }),
  };
}

function byLength(names: readonly string[]): readonly (readonly string[])[] {
  const table: string[][] = [];
  for (const name of names) table[name.length] = [...(table[name.length] ?? []), name];
  return table;
}

function nameAmong(
  names: readonly string[] | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  if (!names) return undefined;
  const name = binaryString(bytes, start, end).toLowerCase();
  return names.includes(name) ? name : undefined;
}
