/**
 * The process that floods (auth-flood.ts): connections that say AUTH PLAIN with a wrong password of a
 * real account, over and over, at no more than a rate for all of them. Each connection comes from a
 * loopback address of its own and each next one from another, as a botnet does, so that no limit of a
 * network ends it. It ends with SIGTERM, and then says on standard output what it was answered.
 *
 *     node bench/tool/auth-flooder.ts <host> <port> <user> <connections> <attempts a second>
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const [host, port, user, connections, rate] = process.argv.slice(2);
const target = { host: host!, port: Number(port), noDelay: true };
const INTERVAL_MS = 1000 / Number(rate);
/** Before the next try, where a connection was refused or cut. */
const PAUSE_MS = 100;

const answers: Record<string, number> = {};
let nextAt = performance.now();
let address = 0;
let passwords = 0;

/** Waits for the next place in the common rate. */
async function turn(): Promise<void> {
  nextAt = Math.max(nextAt + INTERVAL_MS, performance.now());
  await pause(Math.max(0, nextAt - performance.now()));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Of 127.2.0.0/15, all of which is this machine. */
function nextAddress(): string {
  const n = address++ % 120_000;
  return `127.${2 + Math.floor(n / 60_000)}.${Math.floor(n / 250) % 240}.${(n % 250) + 1}`;
}

/** The code of a whole reply. */
async function prior(socket: Socket): Promise<number> {
  for (let text = ''; ; ) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    text += bytes.toString('latin1');
    const last = /^(\d{3}) .*\r\n$/m.exec(text);
    if (last) return Number(last[1]);
  }
}

async function ask(socket: Socket, line: string): Promise<number> {
  socket.write(`${line}\r\n`);
  return prior(socket);
}

async function guess(): Promise<void> {
  const plain = connect({ ...target, localAddress: nextAddress() });
  const gone = new AbortController();
  const lost = new Promise<never>((_, reject) => {
    gone.signal.addEventListener('abort', () => reject(new Error('lost')));
  });
  lost.catch(() => {});
  plain.on('close', () => gone.abort()).on('error', () => gone.abort());
  try {
    await Promise.race([prior(plain), lost]);
    await Promise.race([ask(plain, 'EHLO bot.attacker.example'), lost]);
    await Promise.race([ask(plain, 'STARTTLS'), lost]);
    const secure = connectTls({ socket: plain, rejectUnauthorized: false });
    secure.on('error', () => gone.abort());
    await Promise.race([once(secure, 'secureConnect'), lost]);
    await Promise.race([ask(secure, 'EHLO bot.attacker.example'), lost]);
    for (;;) {
      await turn();
      const credentials = Buffer.from(`\0${user}\0guess number ${++passwords}`).toString('base64');
      const code = await Promise.race([ask(secure, `AUTH PLAIN ${credentials}`), lost]);
      answers[code] = (answers[code] ?? 0) + 1;
      if (code === 421) return;
    }
  } finally {
    plain.destroy();
  }
}

async function bot(): Promise<void> {
  for (;;) {
    await guess().catch(() => {
      answers['lost'] = (answers['lost'] ?? 0) + 1;
      return pause(PAUSE_MS);
    });
  }
}

process.once('SIGTERM', () => process.stdout.write(`${JSON.stringify({ answers })}\n`, () => process.exit(0)));
for (let n = 0; n < Number(connections); n++) void bot();
