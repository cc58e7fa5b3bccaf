/** Postfix's smtp-source: sends messages as fast as they are taken, from an outside sender. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Endpoint, RECIPIENT } from '../product/product.ts';

export interface Load {
  readonly messages: number;
  readonly sessions: number;
  readonly sizeBytes: number;
  /** Kept: all messages of a session over one connection; else one connection a message. */
  readonly kept: boolean;
}

/** Resolves when every message was answered 250; smtp-source stops at the first that was not. */
export async function sendLoad(target: Endpoint, load: Load): Promise<void> {
  const child = spawn(
    'smtp-source',
    [
      ...(load.kept ? ['-d'] : []),
      ...['-s', String(load.sessions), '-m', String(load.messages), '-l', String(load.sizeBytes)],
      ...['-M', 'client.elsewhere.example', '-f', 'bob@elsewhere.example', '-t', RECIPIENT],
      `${target.host}:${target.port}`,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`smtp-source exited ${code}: not every message was accepted`);
}
