/** The files that the checks read: sources with their text, by path from the root of the repository. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..');

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export function sourceFiles(...patterns: readonly string[]): SourceFile[] {
  return globSync([...patterns], { cwd: ROOT, exclude: (path) => path.includes('node_modules') })
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

export function lineCount(text: string): number {
  return text.split('\n').length - 1;
}

/** The code alone: without comments, and with the content of quotes removed. Line numbers stay. */
export function codeOf(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g,
    (match) => match.replace(/[^\n]/g, '') || "''",
  );
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Prints the faults and sets the exit code. */
export function conclude(check: string, faults: readonly string[], notes: readonly string[] = []): void {
  for (const note of notes) console.log(`note: ${note}`);
  for (const fault of faults) console.error(fault);
  console.log(faults.length === 0 ? `${check}: fine` : `${check}: ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
