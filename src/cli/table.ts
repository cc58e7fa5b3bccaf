/** Rows for people: columns as wide as their widest cell, control characters made visible. */
import { cleanLine, cleanLines } from '../protocol/text/unsafe.ts';

/** A longer cell is cut: the whole text is in --json. */
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

/** Untrusted text must not reach the terminal as commands. */
export function visible(text: string): string {
  return cleanLines(text);
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  const text = Array.isArray(value) ? value.join(', ') : String(value);
  const line = cleanLine(text.replaceAll('\n', ' '));
  return line.length > CELL_CHARACTERS ? `${line.slice(0, CELL_CHARACTERS - 1)}…` : line;
}
