/**
 * Asks a running node through its control socket, after checking that nobody else could have put it there. Errors:
 * OperationalError `control.absent` (no node runs on this folder), `control.denied`, `control.folder`,
 * `control.lost`, and those of the node itself.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { OperationalError } from '../model/errors.ts';
import { type ControlAnswer, type ControlRequest, readLines, writeLine } from './control-lines.ts';
import { insistOnOwnSocket, openSocketPlace, SOCKET_SYSTEM } from './control-path.ts';

export interface ControlClient {
  ask(request: ControlRequest): Promise<unknown>;
  close(): void;
}

export async function connectControl(folder: string, system = SOCKET_SYSTEM): Promise<ControlClient> {
  if (!existsSync(folder)) throw absent(folder);
  const socket = await open(folder, system);
  const waiting: { resolve(output: unknown): void; reject(error: Error): void }[] = [];
  const lose = (why: string): void => {
    const error = new OperationalError(
      'control.lost',
      `cannot tell what became of it, as the node must answer: ${why}`,
    );
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  readLines(
    socket,
    (line) => {
      const answer = JSON.parse(line) as ControlAnswer;
      const asked = waiting.shift();
      if (answer.ok) asked?.resolve(answer.output);
      else asked?.reject(new OperationalError(answer.code, answer.message));
    },
    () => socket.destroy(),
  );
  socket.on('error', (error) => lose(error.message));
  socket.on('close', () => lose('it closed the connection'));
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        writeLine(socket, request);
      }),
    close: () => socket.end(),
  };
}

async function open(folder: string, system: typeof SOCKET_SYSTEM): Promise<Socket> {
  try {
    const place = openSocketPlace(folder, system);
    try {
      insistOnOwnSocket(folder, place);
      const socket = connect(place.path);
      await once(socket, 'connect');
      return socket;
    } finally {
      place.close();
    }
  } catch (error) {
    throw refusalOf(error as NodeJS.ErrnoException, folder);
  }
}

/** ENOTDIR: taking the folder reports the problem. */
const NOBODY_THERE: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK'];

function refusalOf(error: NodeJS.ErrnoException, folder: string): Error {
  if (NOBODY_THERE.includes(error.code ?? '')) return absent(folder);
  if (error.code === 'EACCES' || error.code === 'EPERM')
    return new OperationalError(
      'control.denied',
      `cannot reach the node, as you must be the owner of its data folder: ${folder} is not yours`,
    );
  return error;
}

function absent(folder: string): OperationalError {
  return new OperationalError('control.absent', `cannot reach a node, as one must run on ${folder}: none does`);
}
