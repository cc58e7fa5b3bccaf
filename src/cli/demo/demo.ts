/**
 * The demo: a node of its own in a temporary folder, an organisation's mail server on 127.0.0.2 and the outside world
 * on 127.0.0.4, both played by sinks; real messages over real sockets, and a table of their results. Nothing leaves
 * this machine, and nothing of it stays.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENTS } from '../../catalogue.ts';
import { fullAdministrator } from '../../operations/roles.ts';
import { readConfig } from '../../world/config.ts';
import { createEvents } from '../../world/events.ts';
import type { CommandTools } from '../run.ts';
import type { ServedNode } from '../serve.ts';
import { nextSignal } from '../signals.ts';
import { table } from '../table.ts';
import { send } from './client.ts';
import { demoZone } from './demo-zone.ts';
import { ALICE, BLOCKED, DEMO_MESSAGES, type DemoMessage, SHIELDED, SMALL_DOMAIN_BYTES } from './messages.ts';
import { type OutcomeRow, outcomes } from './outcomes.ts';
import { rsaKey, type StrangersKey, sign } from './signed.ts';
import { type Sink, startSink } from './sink.ts';
import { startZone, type Zone } from './zone.ts';

const ACTOR = fullAdministrator('demo');
const ORGANISATION = '127.0.0.2';
const WORLD = '127.0.0.4';

export async function runDemo(tools: CommandTools, { once }: { readonly once: boolean }): Promise<number> {
  const { stdout, source, clock, startNode } = tools;
  const say = (line: string): void => void stdout.write(`${line}\n`);
  await using resources = new AsyncDisposableStack();
  // A demo belongs to its terminal: without one it stops and removes its folder.
  const signal = nextSignal(['SIGHUP']);
  const data = await mkdtemp(join(tmpdir(), 'postern-demo-'));
  resources.defer(() => rm(data, { recursive: true, force: true }));
  const organisation = await startSink({ host: ORGANISATION, onRecipient: organisationsAnswer });
  resources.defer(() => organisation.close());
  const world = await startSink({ host: WORLD });
  resources.defer(() => world.close());

  const key = rsaKey('signed.example', 'demo');
  const zone = await startZone({ after: (end) => resources.defer(end) }, demoZone(key));

  const { config } = readConfig({ ...source, env: { ...source.env, ...sandbox(data, zone) } });
  const node = await startNode(
    { ...config, sandbox: true },
    createEvents(EVENTS, clock.now, () => {}),
  );
  resources.defer(() => node.stop('the demo ends'));
  await furnish(node, organisation, world);
  const port = portOf(node, 'mx');
  say(`A sandbox node takes mail for example.com and example.org on ${node.listeners['mx']}.`);
  say(
    `The organisation's mail server is ${ORGANISATION}:${organisation.port}, the outside world ${WORLD}:${world.port}.\n`,
  );

  const rows: OutcomeRow[] = [];
  for (const [i, message] of DEMO_MESSAGES.entries()) {
    stdout.write(`sending ${i + 1} of ${DEMO_MESSAGES.length}: ${message.title} ... `);
    const found = await sendOne(node, { ...message, content: await signedAs(message, key) }, clock.sleep);
    say(found[0]!.disposition);
    rows.push(...found.map((row) => ({ ...row, reason: reasonOf(row, message, organisation) })));
  }
  say(
    `\n${table(
      ['message', 'recipient', 'disposition', 'reason'],
      rows.map((row) => [row.title, row.recipient, row.disposition, row.reason]),
    )}\n`,
  );
  say(
    `The organisation received ${organisation.messages.length} messages, the outside world ${world.messages.length}.`,
  );
  if (once) return 0;

  say('\nThe node runs on. Look around from another terminal, then stop it here with Ctrl-C:\n');
  say(`  export POSTERN_DATA=${data}`);
  for (const command of [
    'log search',
    `log show ${rows.find((row) => row.id)?.id}`,
    'queue list',
    'settings list',
    'status',
  ])
    say(`  ./bin/postern ${command}`);
  say(
    `  swaks --server 127.0.0.1:${portOf(node, 'submissions')} --tls-on-connect --auth-user ${ALICE.username} --auth-password '${ALICE.password}' --from ${ALICE.username} --to bob@elsewhere.example`,
  );
  say(`  swaks --server 127.0.0.1:${port} --from you@elsewhere.example --to alice@example.com`);
  await signal;
  return 0;
}

function portOf({ listeners }: ServedNode, name: 'mx' | 'submissions'): number {
  return Number(listeners[name]!.split(':').at(-1));
}

/** Ports that the system chooses, so that the demo runs beside anything. */
function sandbox(data: string, zone: Zone): Record<string, string> {
  const listen = {
    POSTERN_LISTEN_MX: '127.0.0.1:0',
    POSTERN_LISTEN_SUBMISSION: '',
    POSTERN_LISTEN_SUBMISSIONS: '127.0.0.1:0',
  };
  // The demo never asks the real DNS.
  const dns = { POSTERN_DNS_SERVERS: `${zone.server.address}:${zone.server.port}` };
  return {
    POSTERN_DATA: data,
    POSTERN_HOSTNAME: 'mx.postern.example',
    ...listen,
    POSTERN_LISTEN_HTTPS: '',
    POSTERN_LISTEN_METRICS: '',
    ...dns,
  };
}

/** The replies of the organisation's mail server to some of its recipients. */
function organisationsAnswer(address: string): string | undefined {
  if (address.startsWith('busy@')) return '451 4.2.1 mailbox busy, try again later';
  if (address.startsWith('full@')) return '552 5.2.2 mailbox full';
  return undefined;
}

async function furnish({ operations }: ServedNode, organisation: Sink, world: Sink): Promise<void> {
  const server = `${organisation.host}:${organisation.port}`;
  for (const name of ['example.com', 'example.org'])
    await operations.execute('domain.add', { name, servers: [server] }, ACTOR);
  const { username, password } = ALICE;
  await operations.execute('user.add', { address: username, password }, ACTOR);
  for (const address of ['carol@example.com', 'busy@example.com', 'full@example.com', 'erin@example.org'])
    await operations.execute('user.add', { address }, ACTOR);
  await operations.execute(
    'alias.add',
    { address: 'sales@example.com', targets: ['alice@example.com', 'carol@example.com'] },
    ACTOR,
  );
  await operations.execute('list.add', { list: 'block', value: BLOCKED, comment: 'chain letters' }, ACTOR);
  await operations.execute('shield.add', SHIELDED, ACTOR);
  const settings = [
    // Mail to users is compared with the pairs, too.
    { key: 'ipShield.exceptLocalRecipients', value: false },
    { key: 'smtp.maxMessageBytes', value: SMALL_DOMAIN_BYTES, domain: 'example.org' },
    { key: 'delivery.smartHost', value: `${world.host}:${world.port}` },
  ];
  for (const setting of settings) await operations.execute('settings.set', setting, ACTOR);
}

async function signedAs({ content, authentication }: DemoMessage, key: StrangersKey): Promise<string> {
  if (!authentication || authentication.signed === 'not at all') return content;
  const signed = await sign(content, key, { signTime: undefined });
  return authentication.signed === 'well' ? signed : signed.replace('this is', 'this was');
}

/** The next server's reply, and, for messages about it, the authentication results. */
function reasonOf({ title, reason }: OutcomeRow, { authentication }: DemoMessage, { messages }: Sink): string {
  const arrived = authentication && messages.find(({ content }) => content.includes(`Subject: ${title}\r\n`));
  if (!arrived) return reason;
  const results =
    /^Authentication-Results: [^;]*;(.*?)\r\n(?![ \t])/ms.exec(arrived.content.toString('latin1'))?.[1] ?? '';
  // The first result of each method: of SPF, that of the reverse-path.
  const found = new Map(
    [...results.matchAll(/(?:^|;)\s*(spf|dkim|dmarc)=(\w+)/g)].reverse().map(([, method, result]) => [method, result]),
  );
  return ['spf', 'dkim', 'dmarc'].map((method) => `${method}=${found.get(method)}`).join(' ');
}

async function sendOne(
  node: ServedNode,
  message: DemoMessage,
  sleep: (ms: number) => Promise<void>,
): Promise<readonly OutcomeRow[]> {
  const { from, to, content, sender } = message;
  const signIn = typeof sender === 'object' ? sender : undefined;
  const localAddress = sender === 'organisation' ? ORGANISATION : undefined;
  const sent = await send(portOf(node, signIn ? 'submissions' : 'mx'), { from, to, content, localAddress, signIn });
  return outcomes(node, message, sent, ACTOR, sleep);
}
