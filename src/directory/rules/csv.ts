/**
 * CSV of a list (RFC 4180): the first line names the columns, in any order: `value` is required, `list`, `kind`,
 * `domain` (or `owner`), `comment` and `expires` are optional; others are ignored. Errors: OperationalError
 * `rules.invalid`, with the line.
 */
import { OperationalError } from '../../model/errors.ts';
import { armed, formatCsv } from '../../protocol/csv/csv.ts';
import { IMPORT_BYTES, IMPORT_ENTRIES } from './limits.ts';

export const COLUMNS = ['list', 'kind', 'owner', 'value', 'comment', 'expires'] as const;
export type Column = (typeof COLUMNS)[number];

/** One row by column, and the line where it began. */
export type CsvRow = Partial<Record<Column, string>> & { readonly line: number };

const NAMES: Readonly<Record<string, Column>> = {
  list: 'list',
  kind: 'kind',
  type: 'kind',
  owner: 'owner',
  domain: 'owner',
  value: 'value',
  entry: 'value',
  comment: 'comment',
  expires: 'expires',
};

export function readCsv(text: string): readonly CsvRow[] {
  if (text.length > IMPORT_BYTES) throw invalid(`it must have at most ${IMPORT_BYTES} characters`, text.length);
  const [header, ...rows] = records(text.replace(/^\ufeff/, ''));
  const columns = (header?.fields ?? []).map((name) => NAMES[name.trim().toLowerCase()]);
  if (!columns.includes('value')) throw invalid('its first line must name the columns, one of them `value`', 'none');
  if (rows.length > IMPORT_ENTRIES) throw invalid(`it must have at most ${IMPORT_ENTRIES} rows`, rows.length);
  return rows.map(({ line, fields }) => {
    const row: Partial<Record<Column, string>> = {};
    for (const [i, column] of columns.entries())
      if (column && fields[i] !== undefined) row[column] = armed(fields[i].trim());
    return { ...row, line };
  });
}

export function writeCsv(rows: readonly Readonly<Record<Column, string>>[]): string {
  return formatCsv([COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]);
}

/** Empty lines are skipped. */
function records(text: string): { line: number; fields: string[] }[] {
  const all: { line: number; fields: string[] }[] = [];
  let [line, startedAt, field, quotes] = [1, 1, '', false];
  let fields: string[] = [];
  const end = (): void => {
    fields.push(field);
    if (fields.length > 1 || field !== '') all.push({ line: startedAt, fields });
    [fields, field] = [[], ''];
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '\n') line++;
    if (quotes) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[i++];
      else quotes = false;
    } else if (character === '"' && field === '') quotes = true;
    else if (character === ',') {
      fields.push(field);
      field = '';
    } else if (character === '\n') {
      end();
      startedAt = line;
    } else if (character !== '\r' || text[i + 1] !== '\n') field += character;
  }
  if (quotes) throw invalid(`the quotes that open on line ${startedAt} must be closed`, 'open');
  end();
  return all;
}

function invalid(must: string, current: unknown): OperationalError {
  return new OperationalError('rules.invalid', `cannot read the CSV, as ${must}: current value is ${current}`);
}
