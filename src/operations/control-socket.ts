/**
 * The control socket, through which the command line reaches a running node. Only the owner of the data folder (and
 * root) can open it, and may do everything.
 *
 * A connection sends requests one after the other, a line of JSON each. An invalid request is answered
 * `operation.input`; a line beyond the bound ends the connection.
 */
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { isOperational, OperationalError } from '../model/errors.ts';
import type { Events } from '../world/events.ts';
import { type ControlAnswer, type ControlRequest, readLines, writeLine } from './control-lines.ts';
import { openSocketPlace, SOCKET_SYSTEM, type SocketPlace, type SocketSystem } from './control-path.ts';
import type { Operations } from './execute.ts';
import { CONTROL_CLIENTS, CONTROL_IDLE_MS, SOCKET_PATH_BYTES } from './limits.ts';
import { fullAdministrator } from './roles.ts';

export interface ControlOptions {
  /** The data folder, whose lock we hold: an existing socket is a dead one. */
  readonly folder: string;
  readonly operations: Pick<Operations, 'executeUnknown' | 'begin'>;
  readonly events: Events;
  /** Tests make it small. */
  readonly lineBytes?: number;
  readonly system?: SocketSystem;
}

export interface ControlServer {
  readonly path: string;
  /** Waits for answers under way. */
  close(): Promise<void>;
}

/** Errors: OperationalError `control.folder`. */
export async function serveControl(options: ControlOptions): Promise<ControlServer> {
  const { folder, operations, events, lineBytes, system = SOCKET_SYSTEM } = options;
  const clients = new Set<Socket>();
  const underWay = new Set<Promise<void>>();
  let closing = false;

  async function answerLine(socket: Socket, line: string): Promise<void> {
    socket.setTimeout(0);
    const answer = await answerTo(operations, line, events);
    if (socket.writable) writeLine(socket, answer);
    if (closing) socket.end();
    else socket.setTimeout(CONTROL_IDLE_MS);
  }

  const server = createServer((socket) => {
    clients.add(socket);
    // One at a time, in order.
    let last = Promise.resolve();
    readLines(
      socket,
      (line) => {
        const turn = last.then(() => answerLine(socket, line));
        last = turn;
        underWay.add(turn);
        void turn.finally(() => underWay.delete(turn));
      },
      () => {
        events.emit('control.error', { error: 'a request beyond the bound' });
        socket.destroy();
      },
      lineBytes,
    );
    socket.setTimeout(CONTROL_IDLE_MS, () => socket.destroy());
    socket.on('error', (error) => events.emit('control.error', { error: error.message }));
    socket.on('close', () => clients.delete(socket));
  });
  server.maxConnections = CONTROL_CLIENTS;
  const place = openSocketPlace(folder, system);
  await listenPrivately(server, place);

  return {
    path: place.name,
    async close() {
      if (closing) return;
      closing = true;
      server.close();
      await Promise.allSettled(underWay);
      for (const socket of clients) socket.end();
      for (const socket of clients) socket.unref();
      rmSync(place.path, { force: true });
      place.close();
    },
  };
}

/** Bound with 0600, so that there is no moment at which others could connect. */
async function listenPrivately(server: ReturnType<typeof createServer>, place: SocketPlace): Promise<void> {
  // If the kernel accepts the name, `ss` and `lsof` show it.
  const path = Buffer.byteLength(place.name) <= SOCKET_PATH_BYTES ? place.name : place.path;
  try {
    rmSync(path, { force: true });
    const before = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
    await once(server, 'listening');
    chmodSync(path, 0o600);
  } catch (cause) {
    place.close();
    throw new OperationalError(
      'control.folder',
      `cannot open the control socket, as ${place.name} must be free for it: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function answerTo(
  operations: Pick<Operations, 'executeUnknown' | 'begin'>,
  line: string,
  events: Events,
): Promise<ControlAnswer> {
  try {
    const { operation, input, actor, background } = parseRequest(line);
    const who = fullAdministrator(actor);
    const output = await (background
      ? operations.begin(operation, input, who)
      : operations.executeUnknown(operation, input, who));
    return { ok: true, output: output ?? null };
  } catch (error) {
    if (isOperational(error)) return { ok: false, code: error.code, message: error.message };
    const { message, stack } = error as Error;
    events.emit('node.defect', { where: 'control socket', error: message, stack });
    return { ok: false, code: 'defect', message: `cannot go on, as there is a defect: ${message}` };
  }
}

function parseRequest(line: string): ControlRequest {
  const request = parsedJson(line);
  if (typeof request === 'object' && request !== null) {
    const { operation, input, actor, background } = request as Partial<ControlRequest>;
    if (typeof operation === 'string' && typeof actor === 'string')
      return { operation, input, actor: actor.slice(0, 200), background: background === true };
  }
  throw new OperationalError('operation.input', 'cannot do this, as a request must be {operation, input, actor}');
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
