/**
 * A data folder that an older version made and was killed over (test/support/upgrade): this version takes it
 * over whole, and the older one is kept out.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { MIGRATIONS } from '../../src/catalogue.ts';
import { startSink } from '../../src/cli/demo/sink.ts';
import { openCore } from '../../src/core.ts';
import { openStore } from '../../src/store/open.ts';
import { systemClock } from '../../src/world/clock.ts';
import { readConfig } from '../../src/world/config.ts';
import { systemDisk } from '../../src/world/disk.ts';
import { systemRandom } from '../../src/world/random.ts';
import { recordedEvents } from '../support/events.ts';
import { migrateFolder, unpackFolder } from '../support/upgrade/folder.ts';
import { SINK_PORT } from '../support/upgrade/make-folder.ts';
import { type RunningNode, startNode, temporaryFolder } from './support/node.ts';

const OLDER = 45;
const PACKED = join(import.meta.dirname, `../support/upgrade/schema-${OLDER}.br`);

interface Listed {
  readonly id: string;
  readonly messageId: string;
  readonly to: string;
  readonly state: string;
  readonly class: string | null;
  readonly lastReply: string | null;
  readonly attempts: number;
}

/** The folder, with its mail server at `port` of 127.0.0.2. */
function olderFolder(t: TestContext, port = SINK_PORT): string {
  const data = join(temporaryFolder(t), 'data');
  unpackFolder(PACKED, data);
  const db = new DatabaseSync(join(data, 'state.db'));
  db.prepare('update mail_server set port = ? where port = ?').run(port, SINK_PORT);
  db.close();
  return data;
}

const jsonOf = async <T>(node: RunningNode, ...args: string[]): Promise<T> =>
  JSON.parse(await node.cli([...args, '--json'])) as T;

test('the folder of an older version that was killed: all mail is there, what was in hand is delivered, and nothing else changed', async (t) => {
  const sink = await startSink({ host: '127.0.0.2' });
  t.after(() => sink.close());
  const data = olderFolder(t, sink.port);
  const env = { POSTERN_SECRET_KEY_FILE: join(data, 'secret.key') };
  const node = await startNode(t, { data, env });

  const inHand = await sink.next(({ content }) => content.includes('in hand.'));
  assert.deepEqual(inHand.to, ['alice@example.com'], 'read from the ledger of the older version');

  const queue = await jsonOf<Listed[]>(node, 'queue', 'list');
  const waiting = queue.filter(({ to }) => to === 'carol@dead.example');
  assert.deepEqual(waiting.map(({ state, class: of }) => `${state} ${of ?? ''}`.trim()).sort(), [
    'held admin',
    'held operator',
    'held user',
    'queued',
  ]);
  for (const { id, messageId, state, attempts, lastReply } of waiting) {
    const shown = await node.cli(['queue', 'show', messageId]);
    assert.ok(shown.includes('carol@dead.example'), shown);
    if (attempts > 0) assert.ok(lastReply, `${id} (${state}) has what the last try came to`);
  }

  const log = await jsonOf<{ subject: string }[]>(node, 'log', 'search');
  for (const subject of ['delivered', 'deferred', 'held user', 'in hand'])
    assert.ok(
      log.some((row) => row.subject === subject),
      `the log finds "${subject}"`,
    );

  const settings = await jsonOf<{ key: string; value: unknown }[]>(node, 'settings', 'list', '--changed');
  assert.deepEqual(
    settings.map(({ key, value }) => [key, value]),
    [['queue.expiryDays', 29]],
  );
  const users = await jsonOf<{ address: string; state: string; hasPassword: boolean; name: string }[]>(
    node,
    'user',
    'list',
  );
  assert.deepEqual(
    users.map(({ address, state, hasPassword, name }) => [address, state, hasPassword, name]),
    [
      ['alice@example.com', 'active', true, 'Alice Archer'],
      ['bob@example.com', 'frozen', false, ''],
      ['carol@dead.example', 'active', false, ''],
    ],
  );
  const ofDomain = await node.cli(['settings', 'get', 'smtp.maxMessageBytes', '--domain', 'example.com']);
  assert.match(ofDomain, /7 ?MiB/);
  const lists = (
    await Promise.all(
      [
        ['list', 'show'],
        ['shield', 'list'],
        ['alias', 'list'],
      ].map((args) => node.cli(args)),
    )
  ).join();
  for (const entry of ['enemy@elsewhere.example', 'other@elsewhere.example', '192.0.2.0/24', 'info@example.com'])
    assert.ok(lists.includes(entry), entry);
  const keys = await jsonOf<{ life: string }[]>(node, 'dkim', 'list', '--domain', 'example.com');
  assert.ok(keys.length > 0 && keys.every(({ life }) => life === 'active'));

  const [held] = waiting.filter(({ class: of }) => of === 'user');
  await node.cli(['queue', 'redirect', 'alice@example.com', held!.id]);
  const redirected = await sink.next(({ content }) => content.includes('held user.'));
  assert.deepEqual(redirected.to, ['alice@example.com'], 'what was held has its content');
  assert.equal(await node.stop(), 0);
  for (const name of [`state-version-${OLDER}.db`, 'log-version-3.db']) {
    const copy = new DatabaseSync(join(data, 'backups', name), { readOnly: true });
    assert.deepEqual({ ...copy.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' }, name);
    copy.close();
  }

  const { config } = readConfig({
    env: { ...env, POSTERN_DATA: data, POSTERN_DNS_SERVERS: '127.0.0.1:9' },
    cwd: data,
    systemFile: join(data, 'none.toml'),
    hostname: 'mx.postern.example',
    hasIpv6: false,
  });
  const core = await openCore(config, recordedEvents());
  t.after(() => core.close());
  assert.equal((await core.dkim.active('example.com')).length, keys.length, 'the old keys are opened, and sign');
});

test('the older version is refused the folder that this one has changed', async (t) => {
  const data = olderFolder(t);
  const services = { clock: systemClock, random: systemRandom, events: recordedEvents(), writer: 'loop' } as const;
  await (await openStore(data, { ...services, migrations: MIGRATIONS })).close();
  const older = MIGRATIONS.filter(({ name }) => Number(name.slice(0, 4)) <= OLDER);
  await assert.rejects(openStore(data, { ...services, migrations: older }), { code: 'store.schema-newer' });
});

test('without room for the copies nothing in the folder is changed, and the error says how much is missing', async (t) => {
  const data = olderFolder(t);
  const disk = { ...systemDisk, freeBytes: async () => 1000 };
  const versions = () =>
    ['state.db', 'log.db'].map((name) => {
      const db = new DatabaseSync(join(data, name));
      const tables = db.prepare('select name, sql from sqlite_schema order by name').all();
      db.close();
      return JSON.stringify(tables);
    });
  const before = versions();
  await assert.rejects(migrateFolder(data, disk), {
    code: 'store.no-room-for-backup',
    message: /\d+ bytes are missing/,
  });
  assert.deepEqual(versions(), before);
  assert.deepEqual(existsSync(join(data, 'backups')) ? readdirSync(join(data, 'backups')) : [], []);
});
