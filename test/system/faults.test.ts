/** What breaks under a node: its databases and its content files. Each is told, and nothing acknowledged is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { MIGRATIONS } from '../../src/catalogue.ts';
import { startSink } from '../../src/cli/demo/sink.ts';
import { openStore } from '../../src/store/open.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';
import { recordedEvents } from '../support/events.ts';
import { letter, send } from './support/client.ts';
import { missing } from './support/missing.ts';
import {
  eventually,
  logged,
  nodeEnvironment,
  POSTERN,
  postern,
  type RunningNode,
  startNode,
  temporaryFolder,
} from './support/node.ts';
import { organisation, setupOf } from './support/organisation.ts';

const queueOf = async (node: RunningNode): Promise<{ state: string; class: string | null; messageId: string }[]> =>
  JSON.parse(await node.cli(['queue', 'list', '--json']));

const mail = (subject: string, body?: string) => ({
  from: 'bob@elsewhere.example',
  to: ['alice@example.com'],
  content: letter({ subject, ...(body !== undefined && { body }) }),
});

function damage(path: string, from: number, bytes: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(bytes, 0xa5), 0, bytes, from);
  closeSync(file);
}

const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

test('a state.db that is no database is refused with what to do, and left as it was', async (t) => {
  const data = temporaryFolder(t);
  const first = await startNode(t, { data });
  assert.equal(await first.stop(), 0);
  const path = join(data, 'state.db');
  damage(path, 0, 4096);
  const before = digest(path);
  const refused = await postern(['serve'], nodeEnvironment(data));
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /cannot open .*state\.db.*restore a backup/);
  assert.doesNotMatch(refused.stderr, /\n\s+at /);
  assert.equal(digest(path), before);
});

test('a state.db that is damaged inside is told by name at the start, with what to do, and is no reason to start again', async (t) => {
  const data = temporaryFolder(t);
  await (await startNode(t, { data, setup: [['domain', 'add', 'example.com']] })).stop();
  const path = join(data, 'state.db');
  for (const page of [5, 9, 12, 20, 30]) damage(path, (page - 1) * 4096, 4096);
  for (const command of [['serve'], ['domain', 'list']]) {
    const { code, stderr } = await postern(command, nodeEnvironment(data));
    assert.equal(code, 78, stderr);
    assert.match(stderr, /^postern: cannot use .*state\.db, as it must be in order.*restore a backup/m);
    if (command[0] === 'serve') assert.match(stderr, /"event":"store\.corrupt","file":".*state\.db"/);
  }
});

test('a log.db that is no database is set aside, told, and mail flows', async (t) => {
  const data = temporaryFolder(t);
  const sink = await startSink();
  t.after(() => sink.close());
  const first = await startNode(t, { data, setup: setupOf(sink) });
  await first.stop();
  damage(join(data, 'log.db'), 0, 4096);
  const node = await startNode(t, { data });
  const sent = await send(node.port('mx'), mail('behind a damaged log'));
  assert.equal(sent.final.code, 250);
  await sink.next(({ content }) => content.includes('behind a damaged log'));
  await eventually(async () => /set aside/.test(node.log()) || undefined, 'the event that tells it');
  assert.ok(readdirSync(join(data, 'damaged')).some((name) => name.startsWith('log.db')));
  await eventually(async () => {
    const rows = JSON.parse(await node.cli(['log', 'search', '--json'])) as unknown[];
    return rows.length === 1 || undefined;
  }, 'the message in the new log');
});

test('a command that finds the log damaged sets it aside, and says so', async (t) => {
  const data = temporaryFolder(t);
  await (await startNode(t, { data })).stop();
  damage(join(data, 'log.db'), 0, 4096);
  const { code, stdout, stderr } = await postern(['log', 'search', '--json'], nodeEnvironment(data));
  assert.deepEqual([code, JSON.parse(stdout)], [0, []]);
  assert.match(stderr, /^postern: warning: .*set aside.* \(journal\.damaged\) file=\S*log\.db movedTo=\S*damaged/m);
});

test('a content file that changed on disk is held and named, while other mail goes on', async (t) => {
  let isBusy = true;
  const sink = await startSink({ onRecipient: () => (isBusy ? '451 4.2.0 not now' : undefined) });
  t.after(() => sink.close());
  const node = await startNode(t, { setup: setupOf(sink) });
  // Large enough for a file of its own.
  const large = mail('to be damaged', `${'x'.repeat(70)}\r\n`.repeat(4_000));
  const sent = await send(node.port('mx'), large);
  assert.equal(sent.final.code, 250);
  const id = /queued as (\S+)/.exec(sent.final.lines[0]!)![1]!;
  await send(node.port('mx'), mail('unharmed'));
  const content = join(node.data, 'content');
  const files = readdirSync(content, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /[0-9a-f]{32}$/.test(name),
  );
  assert.equal(files.length, 1);
  damage(join(content, files[0]!), 100_000, 10);
  isBusy = false;
  await node.cli(['queue', 'retry', '--all']);
  await sink.next((message) => message.content.includes('unharmed'));
  const held = await eventually(async () => {
    const rows = await queueOf(node);
    return rows.length === 1 && rows[0]!.state === 'held' ? rows[0] : undefined;
  }, 'the held row');
  assert.deepEqual([held.class, held.messageId], ['operator', id]);
  assert.match(await node.cli(['queue', 'show', id]), /missing or damaged/);
  assert.ok(!sink.messages.some((message) => message.content.includes('to be damaged')), 'nothing damaged is sent');
});

test('while another process holds the database, what can be delivered at once is; what needs rows is answered 451 until it lets go', async (t) => {
  const { node, sink } = await organisation(t);
  await node.cli(['domain', 'add', 'example.org', '--server', `${sink.host}:${sink.port}`]);
  await node.cli(['user', 'add', 'carol@example.org']);
  const other = new DatabaseSync(join(node.data, 'state.db'));
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  assert.equal((await send(node.port('mx'), mail('while it is held'))).final.code, 250);
  await sink.next(({ content }) => content.includes('while it is held'));
  const apart = { ...mail('of two domains'), to: ['alice@example.com', 'carol@example.org'] };
  assert.match((await send(node.port('mx'), apart)).final.lines[0]!, /^451 4\.3\.\d /);
  other.exec('COMMIT');
  await eventually(async () => {
    const { final } = await send(node.port('mx'), { ...apart, content: letter({ subject: 'afterwards' }) });
    return final.code === 250 || undefined;
  }, 'mail to be taken again');
  await sink.next(({ content }) => content.includes('afterwards'));
  assert.ok(!sink.messages.some(({ content }) => content.includes('of two domains')), 'what was refused is not kept');
});

/** As a backup or the sqlite3 tool would: takes the database, says so, and lets it go after a second. */
const HOLDER = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1]);
  database.exec('BEGIN IMMEDIATE');
  require('node:fs').writeSync(1, 'held');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  database.exec('COMMIT');
`;

test('mail that comes while another process holds the database for a second waits, and is accepted', async (t) => {
  const { node, sink } = await organisation(t);
  const holder = spawn(process.execPath, ['-e', HOLDER, join(node.data, 'state.db')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  await once(holder.stdout, 'data');
  assert.equal((await send(node.port('mx'), mail('in the meantime'))).final.code, 250);
  await sink.next(({ content }) => content.includes('in the meantime'));
  assert.deepEqual(await ended, [0, null]);
});

/** Root writes everywhere, so root plays another user. */
const isRoot = process.getuid?.() === 0;
const NOBODY = '65534';

test('a data folder that may not be written is refused with one sentence that names it', {
  skip: isRoot && missing('setpriv'),
}, async (t) => {
  const data = temporaryFolder(t);
  chmodSync(data, 0o555);
  const as = isRoot ? ['setpriv', '--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'] : [];
  for (const folder of [data, join(data, 'below')]) {
    const [command, ...args] = [...as, POSTERN, 'serve'];
    const child = spawn(command!, args, { env: nodeEnvironment(folder), stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    assert.deepEqual(await once(child, 'close'), [78, null], stderr);
    assert.match(stderr, /^postern: cannot use the data folder, as this user must be able to write in /m);
    assert.ok(stderr.includes(folder));
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

test('a schema of a newer version is refused with both versions, and left as it was', async (t) => {
  const data = temporaryFolder(t);
  await (await startNode(t, { data })).stop();
  const path = join(data, 'state.db');
  const database = new DatabaseSync(path);
  database.exec('UPDATE schema SET version = 9999, min_reader = 9999');
  database.close();
  const before = digest(path);
  const refused = await postern(['serve'], nodeEnvironment(data));
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /cannot open .*state\.db, as its schema must be readable.*9999/);
  assert.equal(digest(path), before);
});

test('a newer schema that this version may read is used as it is', async (t) => {
  const { node, sink } = await organisation(t);
  await node.stop();
  const database = new DatabaseSync(join(node.data, 'state.db'));
  database.exec('UPDATE schema SET version = 9999');
  database.close();
  const again = await startNode(t, { data: node.data });
  assert.equal((await send(again.port('mx'), mail('as before'))).final.code, 250);
  await sink.next(({ content }) => content.includes('as before'));
});

test('an older schema is copied to backups before it is brought up to date, and what it held is still there', async (t) => {
  const data = temporaryFolder(t);
  const older = [...MIGRATIONS].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, -1);
  const version = Number(older.at(-1)!.name.slice(0, 4));
  const store = await openStore(data, {
    clock: systemClock,
    random: systemRandom,
    events: recordedEvents(),
    migrations: older,
    writer: 'loop',
  });
  await store.database.write([
    { sql: "INSERT INTO domain (name, enabled, created_at) VALUES ('example.com', 1, 0)", parameters: [] },
  ]);
  await store.close();
  const node = await startNode(t, { data });
  assert.match(await node.cli(['domain', 'list']), /example\.com/);
  const copy = new DatabaseSync(join(data, 'backups', `state-version-${version}.db`), { readOnly: true });
  t.after(() => copy.close());
  assert.deepEqual({ ...copy.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
  assert.deepEqual({ ...copy.prepare('SELECT name FROM domain').get() }, { name: 'example.com' });
  await logged(node, /brought up to date/);
});
