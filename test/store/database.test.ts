import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import type { StoreMigration } from '../../src/store/migration.ts';
import { systemDisk } from '../../src/world/disk.ts';
import { insert, openTestStore, sql, temporaryFolder, thingTable } from './support/store.ts';

const CHILD = join(import.meta.dirname, 'support', 'holder.ts');

for (const writer of ['thread', 'loop'] as const) {
  test(`units written together fail alone (${writer})`, async (t) => {
    const store = await openTestStore(t, { writer });
    const { database } = store;
    const results = await Promise.allSettled([
      database.write([insert(1)]),
      database.write([insert(2), insert(1)]),
      database.write([insert(3), { ...sql('delete from thing where id = 99'), expect: 'changed' }]),
      database.write([insert(4), sql('update thing set value = ? where id = 1 returning value', 'seen')]),
    ]);
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? 'done' : result.reason.code)),
      ['done', 'store.constraint', 'store.expectation', 'done'],
    );
    assert.deepEqual(await store.ids(), [1, 4]);
    const last = results[3] as PromiseFulfilledResult<readonly { rows: readonly unknown[] }[]>;
    assert.equal(JSON.stringify(last.value[1]!.rows), '[{"value":"seen"}]');
  });

  test(`a full disk fails the units that meet it, and is over when there is room again (${writer})`, async (t) => {
    const store = await openTestStore(t, { writer });
    const { database } = store;
    await database.write([sql('pragma max_page_count = 12')]);
    await assert.rejects(database.write([insert(1, 'x'.repeat(100_000))]), { code: 'store.full' });
    await database.write([sql('pragma max_page_count = 100000')]);
    await database.write([insert(2, 'x'.repeat(100_000))]);
    assert.deepEqual(await store.ids(), [2]);
    assert.deepEqual(store.told, ['store.full', 'store.recovered']);
  });
}

test('long reads run in a thread of their own', async (t) => {
  const { database } = await openTestStore(t);
  await database.write([insert(1), insert(2)]);
  assert.equal(JSON.stringify(await database.scan(sql('select count(*) as n from thing'))), '[{"n":2}]');
  await assert.rejects(database.scan(sql('select * from nowhere')));
});

test('a second node on the folder is refused; after a kill the folder is free at once', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await assert.rejects(openTestStore(t, { folder }), { code: 'store.locked' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const store = await openTestStore(t, { folder });
  assert.deepEqual(await store.ids(), [1]);
  assert.deepEqual(store.told, ['store.unclean']);
});

test('a database that is no database is refused by name and left where it is', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'state.db'), 'x'.repeat(8192));
  await assert.rejects(openTestStore(t, { folder }), { code: 'store.corrupt', message: /state\.db.*recover/ });
  await assert.rejects(openTestStore(t, { folder }), { code: 'store.corrupt' });
});

test('an older schema is copied, then brought up to date; a newer one that says it must not be read is refused', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openTestStore(t, { folder });
  await first.database.write([insert(7)]);
  await first.close();
  const second = { name: '0002-more', minReader: 2, up: () => Promise.resolve() };
  const newer = await openTestStore(t, { folder, migrations: [thingTable, second] });
  assert.deepEqual(newer.told, ['store.backed-up', 'store.migrated']);
  assert.deepEqual(await newer.ids(), [7]);
  await newer.close();
  await assert.rejects(openTestStore(t, { folder }), { code: 'store.schema-newer' });
});

test('a schema change without room for a copy first is refused with what is missing, and changes nothing', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openTestStore(t, { folder });
  await first.database.write([insert(7)]);
  await first.close();
  const second = { name: '0002-more', minReader: 2, up: () => Promise.resolve() };
  const disk = { ...systemDisk, freeBytes: async () => 100 };
  await assert.rejects(openTestStore(t, { folder, disk, migrations: [thingTable, second] }), {
    code: 'store.no-room-for-backup',
    message: /\d+ bytes are missing in .*backups/,
  });
  const again = await openTestStore(t, { folder });
  assert.deepEqual(await again.ids(), [7]);
});

test('a schema change that ends half-way leaves the old schema and its copy, and goes through at the next start', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openTestStore(t, { folder });
  await first.database.write([insert(7)]);
  await first.close();
  let ends = true;
  const added: StoreMigration = {
    name: '0002-more',
    up: (db) => db.schema.alterTable('thing').addColumn('more', 'text').execute(),
  };
  const broken: StoreMigration = {
    name: '0003-broken',
    async up(db) {
      await db.schema.createTable('other').addColumn('id', 'integer').execute();
      if (ends) throw new Error('the power is gone');
    },
  };
  const migrations = [thingTable, added, broken];
  mkdirSync(join(folder, 'backups'));
  writeFileSync(join(folder, 'backups/state-version-1.db.partial'), 'half of a copy'.repeat(1000));
  for (let start = 0; start < 2; start++) await assert.rejects(openTestStore(t, { folder, migrations }), /power/);
  const copy = new DatabaseSync(join(folder, 'backups/state-version-1.db'), { readOnly: true });
  assert.deepEqual(copy.prepare("select name from pragma_table_info('thing') where name = 'more'").all(), []);
  assert.equal(copy.prepare('select count(*) as count from thing').get()!['count'], 1);
  copy.close();
  ends = false;
  const whole = await openTestStore(t, { folder, migrations });
  assert.deepEqual(await whole.ids(), [7]);
});

function missing(command: string): string | false {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return false;
  } catch {
    return `${command} is not installed`;
  }
}

test('after a failed fsync nothing is accepted until the database was reopened and verified; then service resumes by itself', {
  skip: missing('strace'),
}, async (t) => {
  const folder = temporaryFolder(t);
  await (await openTestStore(t, { folder })).close();
  const output = execFileSync(
    'strace',
    [
      ...['-f', '-o', '/dev/null', '-P', join(folder, 'state.db-wal'), '-e', 'trace=fsync,fdatasync'],
      ...['-e', 'inject=fsync,fdatasync:error=EIO:when=3..5', process.execPath, CHILD, folder, 'until-it-works'],
    ],
    { encoding: 'utf8' },
  );
  const said = output.trim().split('\n');
  assert.equal(said[0], 'holding');
  assert.equal(said[1], 'store.unavailable');
  assert.equal(said.at(-1), 'done');
  assert.ok(said.includes('event store.unavailable') && said.includes('event store.recovered'), output);
  const store = await openTestStore(t, { folder });
  assert.deepEqual(await store.ids(), [1, 2], 'only what was acknowledged');
});

test('a start on a full disk is no fault of the folder: it may be tried again', { skip: missing('strace') }, (t) => {
  const folder = temporaryFolder(t);
  const traced = ['-f', '-o', '/dev/null', '-P', join(folder, 'lock.db-journal'), '-e', 'trace=pwrite64'];
  const inject = ['-e', 'inject=pwrite64:error=ENOSPC', process.execPath, CHILD, folder];
  const { status, stderr } = spawnSync('strace', [...traced, ...inject], { encoding: 'utf8' });
  assert.notEqual(status, 0);
  assert.match(stderr, /code: 'store\.full'/);
  assert.match(stderr, /as the disk must have room for what is written in /);
});

for (const [code, expected] of [
  ['ENOSPC', 'store.full'],
  ['EDQUOT', 'store.full'],
  ['EIO', 'store.unavailable'],
  ['EACCES', 'store.folder'],
  ['EROFS', 'store.folder'],
] as const) {
  test(`a data folder that cannot be made, as the disk says ${code}, is refused as ${expected}`, async (t) => {
    const ensureFolder = () => Promise.reject(Object.assign(new Error(code), { code, syscall: 'mkdir' }));
    await assert.rejects(openTestStore(t, { disk: { ...systemDisk, ensureFolder } }), { code: expected });
  });
}

test('a folder that the system never makes is refused at once, also below others that are not there', async () => {
  for (const folder of ['/proc/nowhere', '/proc/nowhere/below/it'])
    await assert.rejects(systemDisk.ensureFolder(folder), { code: 'ENOENT' });
});

test('folders are made with those above them, and may be there already', async (t) => {
  const folder = join(temporaryFolder(t), 'a', 'b', 'c');
  await Promise.all([systemDisk.ensureFolder(folder), systemDisk.ensureFolder(folder)]);
  assert.equal(modeOf(join(folder, '..')), '700');
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(systemDisk.ensureFolder(join(folder, 'file')), { code: 'EEXIST' });
});

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test('a folder that somebody made open is closed, with all that stood open in it', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openTestStore(t, { folder });
  await first.database.write([insert(1)]);
  assert.equal(modeOf(join(folder, 'state.db-wal')), '600', 'whatever the umask is');
  await first.close();
  const open = ['state.db', 'lock.db', 'log.db', 'keys', 'content'];
  writeFileSync(join(folder, 'log.db'), '');
  mkdirSync(join(folder, 'keys'));
  for (const name of open) chmodSync(join(folder, name), 0o755);
  chmodSync(folder, 0o755);
  await (await openTestStore(t, { folder })).close();
  for (const name of open) assert.equal(modeOf(join(folder, name)), '700', name);
  assert.equal(modeOf(folder), '700');
});

test('a folder that holds other things too stays open to others, and what is ours in it is closed', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'index.html'), '', { mode: 0o644 });
  chmodSync(folder, 0o755);
  await (await openTestStore(t, { folder })).close();
  assert.deepEqual([modeOf(folder), modeOf(join(folder, 'index.html'))], ['755', '644']);
  assert.deepEqual([modeOf(join(folder, 'state.db')), modeOf(join(folder, 'content'))], ['600', '700']);
});
