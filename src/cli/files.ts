/**
 * Files named on the command line: read whole, written for their owner alone; `-` is standard input. Output never
 * goes into a file, or through a link, that another user put there first. Errors: OperationalError `cli.unreadable`,
 * `cli.unwritable`.
 */
import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isOperational, OperationalError } from '../model/errors.ts';
import { distrustOfLinks, isTrustedOwner } from '../world/ownership.ts';
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
  const problem = distrustOfLinks(path);
  if (problem !== undefined) throw new OperationalError('cli.unwritable', `cannot write ${path}, as ${problem}`);
  try {
    // It is not truncated before its owner is known.
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      const found = await file.stat();
      if (!isTrustedOwner(found.uid)) throw new Error(`its owner is user id ${found.uid}`);
      if (found.isFile()) await file.truncate();
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new OperationalError(
      'cli.unwritable',
      `cannot write ${path}, as this user must be able to write it: ${(cause as Error).message}`,
      { cause },
    );
  }
}
