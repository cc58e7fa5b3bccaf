/**
 * Makes the data folder of an older version, by running that version: queued, deferred and held mail of
 * every class, mail that lies in the ledger alone, a log, keys, users, lists and changed settings.
 *
 *     git archive <commit> | tar x -C <tree> && ln -s $PWD/node_modules <tree>/node_modules
 *     node test/support/upgrade/make-folder.ts <tree> test/support/upgrade/schema-<version>.br
 *
 * What it writes (`folder.ts` reads it) has no path of this machine in it, and its key file is made for it
 * alone. The node is killed while a message is in hand, so that the ledger has what the database has not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startSink } from '../../../src/cli/demo/sink.ts';
import { letter, send } from '../../system/support/client.ts';
import { eventually, type RunningNode, startNode } from '../../system/support/node.ts';
import { packFolder } from './folder.ts';

/** Fixed ports of the loopback: the folder names them, and the test listens there. */
export const SINK_PORT = 42_525;
export const DEAD_PORT = 42_526;
export const PASSWORD = 'heron lantern 47 quay';

const SETUP = [
  ['domain', 'add', 'example.com', '--server', `127.0.0.2:${SINK_PORT}`],
  ['domain', 'add', 'dead.example', '--server', `127.0.0.2:${DEAD_PORT}`],
  ['user', 'add', 'alice@example.com', '--name', 'Alice Archer'],
  ['user', 'add', 'bob@example.com'],
  ['user', 'add', 'carol@dead.example'],
  ['user', 'set-state', 'bob@example.com', 'frozen'],
  ['alias', 'add', 'info@example.com', 'alice@example.com'],
  ['list', 'add', 'block', 'enemy@elsewhere.example'],
  ['list', 'add', 'allow', 'other@elsewhere.example', '--owner', 'example.com'],
  ['shield', 'add', 'partner.example', '192.0.2.0/24'],
  ['settings', 'set', 'queue.expiryDays', '29'],
  ['settings', 'set', 'smtp.maxMessageBytes', '7MiB', '--domain', 'example.com'],
] as const;

/** Says hello and never answers DATA's end: what is sent there stays in hand. */
async function startMute(): Promise<{ readonly port: number; close(): void; readonly inHand: () => number }> {
  let inHand = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('220 mute\r\n');
    let isData = false;
    socket.on('data', (bytes: Buffer) => {
      if (isData) {
        if (bytes.toString().endsWith('\r\n.\r\n')) inHand++;
        return;
      }
      for (const line of bytes.toString().split('\r\n').filter(Boolean)) {
        isData = /^DATA/i.test(line);
        socket.write(isData ? '354 go on\r\n' : '250 fine\r\n');
      }
    });
  });
  server.listen(SINK_PORT, '127.0.0.2');
  return {
    port: SINK_PORT,
    inHand: () => inHand,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

type Cli = (args: readonly string[], input?: string) => Promise<string>;

/** `postern` of the older version, against its node. */
function olderCli(program: string, env: NodeJS.ProcessEnv): Cli {
  return async (args, input = '') => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stdin.end(input);
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${args.join(' ')} exited ${code}`);
    return out;
  };
}

async function fill(node: RunningNode, cli: Cli): Promise<void> {
  for (const args of SETUP) await cli(args);
  await cli(['user', 'set-password', 'alice@example.com'], `${PASSWORD}\n`);
  const mail = (subject: string, to: string) => {
    const content = letter({ subject, body: `${subject}.\r\n` });
    return send(node.port('mx'), { from: 'friend@elsewhere.example', to: [to], content });
  };
  const rows = async () => JSON.parse(await cli(['queue', 'list', '--json'])) as { id: string; attempts: number }[];
  const sink = await startSink({ host: '127.0.0.2', port: SINK_PORT });
  await mail('delivered', 'alice@example.com');
  await sink.next(() => true);
  await sink.close();
  for (const subject of ['held user', 'held admin', 'held operator']) await mail(subject, 'carol@dead.example');
  await eventually(async () => (await rows()).some(({ attempts }) => attempts > 0), 'a first try', 120_000);
  await cli(['queue', 'hold', ...(await rows()).map(({ id }) => id)]);
  await mail('deferred', 'carol@dead.example');
  await eventually(async () => (await rows()).length === 4 || undefined, 'the deferred one', 120_000);
  const keys = async () => JSON.parse(await cli(['dkim', 'list', '--domain', 'example.com', '--json'])) as unknown[];
  await eventually(async () => (await keys()).length > 0 || undefined, 'the keys of the domain', 120_000);
}

/**
 * What name servers have a part in, and a script has none: screening that holds for users and administrators,
 * and a DKIM key whose record is published.
 */
function classesOf(path: string): void {
  const db = new DatabaseSync(path);
  for (const name of ['user', 'admin', 'operator'])
    db.prepare(`update recipient set hold_class = ? where state = 'held' and message in
      (select key from message where subject = ?)`).run(name, `held ${name}`);
  db.exec(`update dkim_key set state = 'active' where domain = 'example.com'`);
  db.close();
}

async function main(tree: string, to: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-older-'));
  const data = join(folder, 'data');
  const program = join(resolve(tree), 'bin/postern');
  const ends: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => void ends.push(end) } as never;
  const env = { POSTERN_SECRET_KEY_FILE: join(data, 'secret.key') };
  try {
    const first = await startNode(t, { data, program, env });
    await fill(first, olderCli(program, first.env));
    await first.stop();
    classesOf(join(data, 'state.db'));
    const node = await startNode(t, { data, program, env });
    const mute = await startMute();
    const content = letter({ subject: 'in hand', body: 'in hand.\r\n' });
    await send(node.port('mx'), { from: 'friend@elsewhere.example', to: ['alice@example.com'], content });
    await eventually(() => mute.inHand() > 0 || undefined, 'a message in hand', 120_000);
    await node.kill();
    mute.close();
    console.log(`${packFolder(data, to)} bytes`);
  } finally {
    for (const end of ends.reverse()) await end();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [tree, to] = process.argv.slice(2);
  if (!tree || !to) throw new Error('usage: make-folder.ts <tree of the older version> <file to write>');
  await main(tree, to);
}
