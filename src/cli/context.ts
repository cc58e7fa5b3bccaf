/** The tools of every command: the session, ways to print, and standard input. */
import type { Readable } from 'node:stream';
import { OperationalError } from '../model/errors.ts';
import { escapeJson } from '../protocol/text/unsafe.ts';
import type { CliSession } from './session.ts';
import { visible } from './table.ts';

export interface CommandContext extends CliSession {
  /** A line, or several; control characters are replaced. */
  print(text: string): void;
  json(value: unknown): void;
  readonly stdin: Readable;
}

export interface Output {
  /** `done` is called later with the result; not by every output. */
  write(text: string, done?: (error?: Error | null) => void): unknown;
  /** It is a terminal. */
  readonly isTTY?: boolean;
}

export function createContext(session: CliSession, stdout: Output, stdin: Readable): CommandContext {
  return {
    ...session,
    stdin,
    print: (text) => void stdout.write(`${visible(text)}\n`),
    json: (value) => void stdout.write(`${escapeJson(JSON.stringify(value, null, 2))}\n`),
  };
}

/** A password is one line; a settings file may be large, but is bounded. */
export async function readInput(stdin: Readable, mostBytes: number, name = 'standard input'): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > mostBytes)
      throw new OperationalError('cli.usage', `cannot read ${name}, as it must have at most ${mostBytes} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const PASSWORD_BYTES = 10_000;

/** The first line, without its end. */
export async function readPassword(stdin: Readable): Promise<string> {
  return (await readInput(stdin, PASSWORD_BYTES)).split(/\r?\n/, 1)[0]!;
}
