import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { insistOnOwnFolder } from '../../src/store/owner-only.ts';
import { openKeyFile } from '../../src/store/secrets.ts';
import { nodeCertificate } from '../../src/world/certificate.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemRandom } from '../../src/world/random.ts';
import { cannotGive, give, plantFile, plantLink, STRANGER } from '../support/other-user.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-own-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function refused(folder: string, sentence: RegExp): void {
  assert.throws(
    () => insistOnOwnFolder(folder),
    (error: Error & { code?: string }) => error.code === 'store.folder' && sentence.test(error.message),
  );
}

test('a folder that others may write in is refused, whoever else may; one of umask 002 is not', {
  skip: cannotGive,
}, (t) => {
  const data = folderOf(t);
  for (const mode of [0o777, 0o707, 0o702, 0o1777]) {
    chmodSync(data, mode);
    refused(data, /nobody but its owner may write in .*: its mode is /);
  }
  for (const mode of [0o700, 0o755, 0o775, 0o2770]) {
    chmodSync(data, mode);
    insistOnOwnFolder(data);
  }
  give(data);
  refused(data, /must belong to this user \(id 0\) or root: its owner is user id 65534/);
});

test("a folder that somebody else's group may write in is refused", { skip: cannotGive }, async (t) => {
  const { chownSync } = await import('node:fs');
  const data = folderOf(t);
  chownSync(data, 0, 65534);
  chmodSync(data, 0o770);
  refused(data, /its mode is 0770/);
  chmodSync(data, 0o750);
  insistOnOwnFolder(data);
});

const PLANTED = [
  'state.db',
  'state.db-wal',
  'state.db-shm',
  'state.db-journal',
  'log.db',
  'log.db-wal',
  'lock.db',
  'keys/secret.key',
  'keys/secret.key.new',
  'ledger/0000000001',
  'tls/self-signed.key',
  'tls/self-signed.pem',
  'content/00',
  'backups/state-version-1.db',
];

test('another user who put a file, or a link to one of ours, where we would open it, gets nothing opened', {
  skip: cannotGive,
}, (t) => {
  for (const name of PLANTED) {
    const data = folderOf(t);
    const ours = join(folderOf(t), 'precious');
    writeFileSync(ours, 'precious', { mode: 0o600 });
    mkdirSync(join(data, name, '..'), { recursive: true });
    insistOnOwnFolder(data);
    plantFile(join(data, name));
    refused(data, new RegExp(`${name}.* must belong to this user .* user id 65534`));
    rmSync(join(data, name));
    plantLink(join(data, name), ours);
    refused(data, new RegExp(`${name}, a link, .* must belong to this user .* user id 65534`));
    rmSync(join(data, name));
    plantLink(join(data, name), join(data, 'nothing yet'));
    refused(data, /a link/);
    assert.equal(readFileSync(ours, 'utf8'), 'precious');
  }
});

test('another user who put a folder, or a link to one, in the place of ours, gets nothing opened', {
  skip: cannotGive,
}, (t) => {
  for (const name of ['content', 'ledger', 'keys', 'tls', 'backups', 'damaged']) {
    const data = folderOf(t);
    const theirs = folderOf(t);
    mkdirSync(join(data, name));
    give(join(data, name));
    refused(data, new RegExp(`/${name} must belong to this user`));
    rmSync(join(data, name), { recursive: true });
    give(theirs);
    symlinkSync(theirs, join(data, name));
    refused(data, new RegExp(`the owner of ${theirs} is user id 65534`));
  }
});

test("a link of ours is followed to what is ours, and neither over another's link nor into a folder of theirs", {
  skip: cannotGive,
}, (t) => {
  const data = folderOf(t);
  const disk = folderOf(t);
  mkdirSync(join(disk, 'content'));
  symlinkSync(join(disk, 'content'), join(data, 'content'));
  writeFileSync(join(disk, 'state.db'), '');
  symlinkSync(join(disk, 'state.db'), join(data, 'state.db'));
  insistOnOwnFolder(data);
  const linked = join(folderOf(t), 'data');
  symlinkSync(data, linked);
  insistOnOwnFolder(linked);

  chmodSync(disk, 0o1777);
  refused(data, /nobody but its owner may write in .*: its mode is 1777/);
  chmodSync(disk, 0o700);
  rmSync(join(data, 'state.db'));
  plantLink(join(disk, 'theirs'), join(disk, 'state.db'));
  symlinkSync(join(disk, 'theirs'), join(data, 'state.db'));
  refused(data, /the owner of .*theirs is user id 65534/);

  const others = join(folderOf(t), 'data');
  plantLink(others, data, STRANGER);
  refused(others, /a link, .* user id 54321/);
});

test('links that lead in a circle are refused, not followed for ever', (t) => {
  const data = folderOf(t);
  symlinkSync(join(data, 'b'), join(data, 'state.db'));
  symlinkSync(join(data, 'state.db'), join(data, 'b'));
  refused(data, /more than 40 links/);
});

test('a key file that another user made, or the draft of one, is never used nor written through', {
  skip: cannotGive,
}, async (t) => {
  const shared = folderOf(t);
  chmodSync(shared, 0o1777);
  const path = join(shared, 'secret.key');
  plantFile(path, '');
  chmodSync(path, 0o600);
  await assert.rejects(openKeyFile(path, systemRandom), { code: 'secrets.key-file' });
  rmSync(path);

  const ours = join(folderOf(t), 'precious');
  writeFileSync(ours, 'precious');
  plantLink(`${path}.new`, ours);
  await openKeyFile(path, systemRandom);
  assert.equal(readFileSync(ours, 'utf8'), 'precious');
  assert.ok(lstatSync(path).isFile());
  assert.equal(statSync(path).mode & 0o777, 0o600);

  chmodSync(shared, 0o777);
  await assert.rejects(openKeyFile(path, systemRandom), { code: 'secrets.key-file' });
});

test('a mounted secret, a link in a folder with the sticky bit, is a key file', async (t) => {
  const mount = folderOf(t);
  mkdirSync(join(mount, '..1'));
  await openKeyFile(join(mount, '..1', 'secret.key'), systemRandom);
  symlinkSync('..1', join(mount, '..data'));
  symlinkSync(join('..data', 'secret.key'), join(mount, 'secret.key'));
  chmodSync(mount, 0o1777);
  const secrets = await openKeyFile(join(mount, 'secret.key'), systemRandom);
  assert.deepEqual([...secrets.open('a', secrets.seal('a', Buffer.from([1])))], [1]);
});

test('the draft of a TLS key is written through no link that lies in its place', async (t) => {
  const data = folderOf(t);
  mkdirSync(join(data, 'tls'));
  const ours = join(data, 'precious');
  writeFileSync(ours, 'precious');
  symlinkSync(ours, join(data, 'tls', 'self-signed.key.new'));
  await nodeCertificate({ data, hostname: 'mx.example.com' }, systemClock, systemRandom);
  assert.equal(readFileSync(ours, 'utf8'), 'precious');
  assert.ok(existsSync(join(data, 'tls', 'self-signed.key')));
});
