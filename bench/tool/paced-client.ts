/**
 * Sends at a fixed rate, which smtp-source cannot: a message is due every so often, whether or not
 * the server keeps up, so a server that stalls is charged for all that waited meanwhile.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Endpoint, RECIPIENT } from '../product/product.ts';

export interface PacedLoad {
  readonly ratePerSecond: number;
  readonly messages: number;
  readonly connections: number;
  readonly sizeBytes: number;
  /** The recipient of the nth message; default the one recipient of all benches. */
  readonly recipient?: (n: number) => string;
  readonly subject?: (n: number) => string;
  /** All connections are open; the first message is due now. */
  readonly onStart?: () => void;
}

export interface Latencies {
  /** From the final dot to its reply. */
  readonly finalReplyMs: readonly number[];
  /** From when the message was due to its final reply. */
  readonly sinceDueMs: readonly number[];
}

interface Session {
  readonly socket: Socket;
  readonly send: (n: number, dueAt: number) => void;
}

const TICK_MS = 1;

export async function sendPaced(target: Endpoint, load: PacedLoad): Promise<Latencies> {
  const finalReplyMs: number[] = [];
  const sinceDueMs: number[] = [];
  const idle: Session[] = [];
  let finish: (failure?: Error) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (failure) => (failure ? reject(failure) : resolve());
  });
  const sessions = await Promise.all(
    Array.from({ length: load.connections }, () =>
      openSession(target, load, finish, (session, dueAt, dotAt) => {
        const now = performance.now();
        finalReplyMs.push(now - dotAt);
        sinceDueMs.push(now - dueAt);
        idle.push(session);
        if (finalReplyMs.length === load.messages) finish();
      }),
    ),
  );
  idle.push(...sessions);
  const startedAt = performance.now();
  load.onStart?.();
  let next = 0;
  const pacer = setInterval(() => {
    const due = Math.min(load.messages, ((performance.now() - startedAt) / 1000) * load.ratePerSecond);
    while (next < due && idle.length > 0) {
      idle.shift()!.send(next, startedAt + (next / load.ratePerSecond) * 1000);
      next++;
    }
  }, TICK_MS);
  try {
    await finished;
  } finally {
    clearInterval(pacer);
    for (const { socket } of sessions) socket.destroy();
  }
  return { finalReplyMs, sinceDueMs };
}

/** One kept connection, a command at a time as smtp-source does it. */
async function openSession(
  target: Endpoint,
  load: PacedLoad,
  fail: (failure: Error) => void,
  done: (session: Session, dueAt: number, dotAt: number) => void,
): Promise<Session> {
  const socket = connect({ ...target, noDelay: true });
  socket.on('error', fail);
  const replies = replyReader(socket);
  const say = async (text: string, expected: number): Promise<void> => {
    socket.write(text, 'latin1');
    const line = await replies();
    if (!line.startsWith(String(expected))) throw new Error(`${text.slice(0, 60).trim()} was answered ${line}`);
  };
  const transact = async (n: number, dueAt: number): Promise<void> => {
    await say('MAIL FROM:<bob@elsewhere.example>\r\n', 250);
    await say(`RCPT TO:<${load.recipient?.(n) ?? RECIPIENT}>\r\n`, 250);
    await say('DATA\r\n', 354);
    const dotAt = performance.now();
    await say(letter(n, load), 250);
    done(session, dueAt, dotAt);
  };
  const session: Session = { socket, send: (n, dueAt) => void transact(n, dueAt).catch(fail) };
  await once(socket, 'connect');
  await replies();
  await say('EHLO client.elsewhere.example\r\n', 250);
  return session;
}

/** Resolves with the last line of each reply in turn. */
function replyReader(socket: Socket): () => Promise<string> {
  let buffered = '';
  let tell: ((line: string) => void) | undefined;
  const ready: string[] = [];
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    buffered += text;
    for (let end = buffered.indexOf('\r\n'); end >= 0; end = buffered.indexOf('\r\n')) {
      const line = buffered.slice(0, end);
      buffered = buffered.slice(end + 2);
      if (line[3] === '-') continue;
      if (tell) tell(line);
      else ready.push(line);
      tell = undefined;
    }
  });
  return () => {
    const line = ready.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => {
      tell = resolve;
    });
  };
}

function letter(n: number, load: PacedLoad): string {
  const subject = load.subject?.(n) ?? `paced ${n}`;
  const header = `From: <bob@elsewhere.example>\r\nTo: <${RECIPIENT}>\r\nSubject: ${subject}\r\nMessage-ID: <paced-${n}@elsewhere.example>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\n`;
  const line = `${'X'.repeat(70)}\r\n`;
  return `${header}${line.repeat(Math.ceil(load.sizeBytes / line.length))}.\r\n`;
}
