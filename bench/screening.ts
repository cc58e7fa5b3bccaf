/**
 * What screening costs a whole node: 5 kB messages, signed and unsigned, from a client that SPF allows,
 * through a node with every check as it comes beside one whose checks of content and origin are off. The
 * DNS is a loopback zone; its queries are counted. Needs Debian's smtp-sink; the nodes take turns.
 *
 *     node bench/screening.ts [messages] [rounds]
 */
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rsaKey, sign } from '../test/screen/checks/origin/keys.ts';
import { startZone } from '../test/support/zone.ts';
import { groupCpuMs } from '../test/system/support/process-cpu.ts';
import { median } from './measure/statistics.ts';
import { table } from './measure/table.ts';
import { postern } from './product/postern.ts';
import { type Endpoint, RECIPIENT } from './product/product.ts';
import { startSink } from './tool/smtp-sink.ts';

const MESSAGES = Number(process.argv[2] ?? 5000);
const ROUNDS = Number(process.argv[3] ?? 5);
const SESSIONS = 20;
const CLIENT = '192.0.2.25';
const POSTERN = resolve(import.meta.dirname, '../bin/postern');
const BODY = 'A line of a message as people write them, of some seventy characters.\r\n'.repeat(64);
const LETTER = `From: Bob <bob@elsewhere.example>\r\nTo: ${RECIPIENT}\r\nSubject: hello\r\nDate: Sun, 22 Nov 2026 00:00:00 +0000\r\nMessage-ID: <1@elsewhere.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n${BODY}`;
const TRANSACTION = [
  ['MAIL FROM:<bob@elsewhere.example>', 250],
  [`RCPT TO:<${RECIPIENT}>`, 250],
  ['DATA', 354],
] as const;

/** Sends the message so many times over kept connections, each named by a PROXY header as the client. */
async function sendAll(target: Endpoint, message: string, messages: number): Promise<void> {
  let left = messages;
  await Promise.all(
    Array.from({ length: SESSIONS }, async (_, n) => {
      const socket = connect({ ...target, noDelay: true });
      socket.setEncoding('latin1');
      socket.write(`PROXY TCP4 ${CLIENT} 192.0.2.1 ${4000 + n} 25\r\n`);
      const say = async (text: string, expected: number): Promise<void> => {
        if (text !== '') socket.write(`${text}\r\n`, 'latin1');
        let reply = '';
        while (!/^\d{3} .*\r\n$/m.test(reply)) reply += String((await once(socket, 'data'))[0]);
        if (!reply.startsWith(String(expected))) throw new Error(`${text.slice(0, 60)} was answered ${reply}`);
      };
      await say('', 220);
      await say('EHLO mail.elsewhere.example', 250);
      while (left-- > 0) {
        for (const [command, expected] of TRANSACTION) await say(command, expected);
        await say(`${message}.`, 250);
      }
      socket.destroy();
    }),
  );
}

await using ends = new AsyncDisposableStack();
const key = rsaKey('elsewhere.example', 'one');
const zone = await startZone(
  { after: (end) => ends.defer(end) },
  {
    'elsewhere.example': { TXT: ['v=spf1 mx -all'], MX: [[10, 'mail.elsewhere.example']] },
    'mail.elsewhere.example': { A: [CLIENT], TXT: ['v=spf1 a -all'] },
    '25.2.0.192.in-addr.arpa': { PTR: ['mail.elsewhere.example'] },
    [key.name]: { TXT: [key.record.match(/.{1,200}/g) ?? []] },
    '_dmarc.elsewhere.example': { TXT: ['v=DMARC1; p=reject'] },
  },
);
const folder = mkdtempSync(join(tmpdir(), 'postern-screening-'));
ends.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
chmodSync(folder, 0o755);
const env = { POSTERN_DNS_SERVERS: `127.0.0.1:${zone.server.port}`, POSTERN_TRUSTED_PROXIES: '127.0.0.1' };

async function node(name: string, screens: boolean) {
  const own = join(folder, name);
  mkdirSync(own);
  const sink = ends.use(await startSink(own));
  return { sink, product: ends.use(await postern(POSTERN, { name, screens, env }).start(own, sink)) };
}
type Node = Awaited<ReturnType<typeof node>>;

async function measure({ product, sink }: Node, message: string, messages: number) {
  const target = sink.count() + messages;
  const [queries, cpuMs, startedAt] = [zone.queries.length, groupCpuMs(product.pid), performance.now()];
  await Promise.all([sendAll(product, message, messages), sink.reaches(target)]);
  return {
    perSecond: (messages / (performance.now() - startedAt)) * 1000,
    cpuUs: ((groupCpuMs(product.pid) - cpuMs) / messages) * 1000,
    queries: (zone.queries.length - queries) / messages,
  };
}

const signed = await sign(LETTER, key);
const nodes = { on: await node('on', true), off: await node('off', false) };
const cold = zone.queries.length;
await measure(nodes.on, signed, 1);
console.log(`DNS queries of the first message: ${zone.queries.length - cold}`);
const cases = [
  { what: 'signed', message: signed },
  { what: 'unsigned', message: LETTER },
].flatMap(({ what, message }) =>
  (['on', 'off'] as const).map((checks) => ({
    what,
    message,
    checks,
    rounds: [] as Awaited<ReturnType<typeof measure>>[],
  })),
);
for (const { checks, message } of cases) await measure(nodes[checks], message, Math.ceil(MESSAGES / 2));
for (let round = 0; round < ROUNDS; round++)
  for (const { checks, message, rounds } of cases) rounds.push(await measure(nodes[checks], message, MESSAGES));

const rate = (index: number): number => median(cases[index]!.rounds.map(({ perSecond }) => perSecond));
console.log(
  table([
    ['5 kB', 'checks', 'delivered/s', 'CPU µs each', 'DNS queries each', 'of the rate without'],
    ...cases.map(({ what, checks, rounds }, index) => [
      what,
      checks,
      rate(index).toFixed(0),
      median(rounds.map(({ cpuUs }) => cpuUs)).toFixed(0),
      median(rounds.map(({ queries }) => queries)).toFixed(4),
      checks === 'on' ? `${((rate(index) / rate(index + 1)) * 100).toFixed(0)} %` : '',
    ]),
  ]),
);
