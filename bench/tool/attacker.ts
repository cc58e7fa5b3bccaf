/**
 * The process that attacks (under-attack.ts): the sessions of a move over and over on each of its
 * connections, as fast as they are answered, all from one network. It ends with SIGTERM, and then says on
 * standard output what it was answered.
 *
 *     node bench/tool/attacker.ts <host> <port> <move>
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MOVES } from './attacks.ts';

const [host, port, name] = process.argv.slice(2);
const move = MOVES[name!]!;
const ADDRESS = '127.66.0.9';
/** Before the next try, where a connection was refused or cut. */
const PAUSE_MS = 100;

const answers: Record<string, number> = {};

/** Counts the codes of so many whole replies. */
async function prior(socket: Socket, buffered: { text: string }, replies: number): Promise<void> {
  for (let seen = 0; seen < replies; ) {
    for (let end = buffered.text.indexOf('\r\n'); end >= 0 && seen < replies; end = buffered.text.indexOf('\r\n')) {
      const line = buffered.text.slice(0, end);
      buffered.text = buffered.text.slice(end + 2);
      if (line[3] === '-') continue;
      answers[line.slice(0, 3)] = (answers[line.slice(0, 3)] ?? 0) + 1;
      seen++;
    }
    if (seen < replies) buffered.text += String((await once(socket, 'data'))[0]);
  }
}

async function session(): Promise<void> {
  const socket = connect({ host: host!, port: Number(port), localAddress: ADDRESS, noDelay: true });
  const buffered = { text: '' };
  socket.setEncoding('latin1');
  const lost = once(socket, 'close').then(() => Promise.reject(new Error('lost')));
  lost.catch(() => {});
  socket.on('error', () => {});
  const until = (replies: number): Promise<void> => Promise.race([prior(socket, buffered, replies), lost]);
  try {
    await until(1);
    socket.write('EHLO attacker.example\r\n');
    await until(1);
    for (const { text, replies } of move.session()) {
      socket.write(text, 'latin1');
      await until(replies);
    }
  } finally {
    socket.destroy();
  }
}

async function attack(): Promise<never> {
  for (;;) {
    await session().catch(() => {
      answers['lost'] = (answers['lost'] ?? 0) + 1;
      return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    });
  }
}

process.once('SIGTERM', () => process.stdout.write(`${JSON.stringify({ answers })}\n`, () => process.exit(0)));
for (let n = 0; n < move.connections; n++) void attack();
