/**
 * Files that the command line names: read whole, written for their owner alone; `-` is standard input.
 * Errors: OperationalError `cli.unreadable`, `cli.unwritable`.
 */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isOperational, OperationalError } from '../model/errors.ts';
import { readInput } from './context.ts';

export async function readText(path: string, stdin: Readable, mostBytes: number): Promise<string> {
  if (path === '-') return readInput(stdin, mostBytes);
  try {
    return await readInput(createReadStream(path), mostBytes, path);
  } catch (cause) {
    if (isOperational(cause)) throw cause;
    throw new OperationalError(
      'cli.unreadable',
      `cannot read ${path}, as it must be a readable file: ${(cause as Error).message}`,
      { cause },
    );
  }
}

export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600 });
  } catch (cause) {
    throw new OperationalError(
      'cli.unwritable',
      `cannot write ${path}, as this user must be able to write it: ${(cause as Error).message}`,
      { cause },
    );
  }
}
