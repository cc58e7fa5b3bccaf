/**
 * CSV (RFC 4180): rows of text, and the one writer of every export. A lone LF or CR ends a row too, as spreadsheets
 * write it; undefined for malformed input.
 *
 * A field that a spreadsheet would run as a formula gets an apostrophe in front, and `armed` removes it again, so
 * that an import restores what was exported.
 */

/** What spreadsheets take for a formula, perhaps after blanks that they drop; full-width signs too. */
const FORMULA = /^'*[\t\r\n ]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/** A larger file is no list of accounts but an attack on memory. */
const MOST_ROWS = 100_000;
const MOST_FIELDS = 100;

export function parseCsv(text: string): readonly (readonly string[])[] | undefined {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  field.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (field.lastIndex < text.length || row.length > 0) {
    const match = field.exec(text);
    if (!match || rows.length >= MOST_ROWS || row.length >= MOST_FIELDS) return undefined;
    row.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
    if (match[3] === ',') continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  return rows;
}

/** Restores a field that `formatCsv` made harmless. */
export function armed(field: string): string {
  return field.startsWith("'") && FORMULA.test(field) ? field.slice(1) : field;
}

export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(formatField).join(',')}\r\n`).join('');
}

function formatField(field: string): string {
  const harmless = FORMULA.test(field) ? `'${field}` : field;
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
