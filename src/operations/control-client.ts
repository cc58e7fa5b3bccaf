/**
 * Asks a running node through its control socket. Errors: OperationalError `control.absent` (no node
 * runs on this folder), `control.denied`, `control.lost`, and whatever the node itself says.
 */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { OperationalError } from '../model/errors.ts';
import { type ControlAnswer, type ControlRequest, readLines, writeLine } from './control-lines.ts';
import { controlSocketPath } from './control-path.ts';

export interface ControlClient {
  ask(request: ControlRequest): Promise<unknown>;
  close(): void;
}

export async function connectControl(folder: string): Promise<ControlClient> {
  if (!existsSync(folder)) throw absent(folder);
  const socket = await open(controlSocketPath(folder), folder);
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

function open(path: string, folder: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const refuse = (error: NodeJS.ErrnoException): void => reject(refusalOf(error, path, folder));
    socket.once('error', refuse);
    socket.once('connect', () => {
      socket.off('error', refuse);
      resolve(socket);
    });
  });
}

function refusalOf(error: NodeJS.ErrnoException, path: string, folder: string): Error {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return absent(folder);
  if (error.code === 'EACCES' || error.code === 'EPERM')
    return new OperationalError(
      'control.denied',
      `cannot reach the node, as you must be the owner of its data folder: ${path} is not yours`,
    );
  return error;
}

function absent(folder: string): OperationalError {
  return new OperationalError('control.absent', `cannot reach a node, as one must run on ${folder}: none does`);
}
