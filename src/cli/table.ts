/** Rows for people: columns as wide as their widest cell, control characters made visible. */

/** A cell longer than this is cut: the whole is in --json. */
const CELL_CHARACTERS = 100;

export function table(headers: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const lines = [headers, ...rows.map((row) => row.map(cell))];
  const widths = headers.map((_, column) => lines.reduce((width, line) => Math.max(width, line[column]!.length), 0));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What strangers sent must not reach the terminal as commands. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  const line = visible(text).replaceAll('\n', ' ');
  return line.length > CELL_CHARACTERS ? `${line.slice(0, CELL_CHARACTERS - 1)}…` : line;
}
